package bridge

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// maxAnswerHeader is how many bytes the header of a CGI program's answer may have.
const maxAnswerHeader = 64 << 10

// answer passes on what the child answers, until its output ends or the client
// takes no more.
func (c *cgi) answer(w http.ResponseWriter, output io.Reader) error {
	limited := &io.LimitedReader{R: output, N: maxAnswerHeader}
	r := bufio.NewReader(limited)
	status, header, err := readAnswerHeader(r)
	if err != nil {
		return err
	}
	limited.N = math.MaxInt64

	to := w.Header()
	to["Content-Type"] = nil // what has none is not to be guessed
	for name, values := range header {
		to[name] = values
	}
	c.status = status
	w.WriteHeader(status)
	return c.copyBody(w, r)
}

// copyBody sends what comes, each piece as soon as it is there.
func (c *cgi) copyBody(w http.ResponseWriter, r *bufio.Reader) error {
	rc := http.NewResponseController(w)
	buf := wire.GetLarge()[:wire.LargeBuffer]
	defer wire.PutBuffer(buf)
	for {
		if r.Buffered() == 0 {
			_ = rc.Flush() // where it fails, so does the next Write
		}
		n, readErr := r.Read(buf)
		written, err := w.Write(buf[:n])
		c.bytes += int64(written)
		if err != nil {
			return err
		}
		if readErr != nil {
			return nil // a child's output only ends
		}
	}
}

// ofConnection are the headers that are the server's own business (RFC 3875,
// section 6.3.4; RFC 9110, section 7.6.1).
var ofConnection = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

var errNoAnswer = errors.New("the output ends without an empty line behind a header")

// readAnswerHeader reads the header of an answer (RFC 3875, section 6.2), up
// to the empty line.
func readAnswerHeader(r *bufio.Reader) (status int, header http.Header, err error) {
	fields, err := textproto.NewReader(r).ReadMIMEHeader()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errNoAnswer
	}
	if err != nil {
		return 0, nil, err
	}
	header = http.Header(fields)
	switch line := header.Get("Status"); {
	case line != "":
		code, _, _ := strings.Cut(line, " ")
		status, err = strconv.Atoi(code)
		if err != nil || len(code) != 3 || status < 200 || status > 599 {
			return 0, nil, fmt.Errorf("bad Status: %q", line)
		}
	case header.Get("Location") != "":
		status = http.StatusFound
	case header.Get("Content-Type") != "":
		status = http.StatusOK
	default:
		return 0, nil, errors.New("neither Content-Type nor Location nor Status in the header")
	}
	if len(header["Content-Length"]) > 1 { // which a proxy may take otherwise than the client
		return 0, nil, errors.New("several Content-Length in the header")
	}
	header.Del("Status")
	for _, name := range ofConnection {
		header.Del(name)
	}
	return status, header, nil
}
