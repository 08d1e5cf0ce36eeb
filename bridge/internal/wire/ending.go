package wire

import (
	"errors"
	"fmt"
	"strings"
)

// An Ending is how a WebSocket was closed (RFC 6455, sections 7.1.5 and 7.1.6).
type Ending struct {
	Code   int
	Reason string
}

func (e Ending) String() string { return strings.TrimSpace(fmt.Sprintf("%d %s", e.Code, e.Reason)) }

// Error makes an Ending what Receive returns.
func (e Ending) Error() string { return e.String() }

// Close codes (RFC 6455, section 7.4.1) of what is found here. NoStatus and
// Abnormal are never sent: they stand for a close frame without a code and for
// the lack of a close frame.
const (
	codeNormal        = 1000
	codeGoingAway     = 1001
	codeProtocolError = 1002
	codeNoStatus      = 1005
	codeAbnormal      = 1006
	codeNotUTF8       = 1007
	codeTooBig        = 1009
)

// How a WebSocket ends by itself.
var (
	// ErrStopped is no end: Stop was called.
	ErrStopped = errors.New("the reader was asked to stop")

	Lost     = Ending{codeAbnormal, "connection lost"}
	PeerDead = Ending{codeAbnormal, "no answer to pings"}
	NotUTF8  = Ending{codeNotUTF8, "text is not UTF-8"}

	reasonNotUTF8 = Ending{codeNotUTF8, "close reason is not UTF-8"}
	corrupt       = Ending{codeNotUTF8, "message cannot be decompressed"}
)

// TooBig ends a connection whose peer sends a message over the limit.
func TooBig(limit int) Ending {
	return Ending{codeTooBig, fmt.Sprintf("message over %d bytes", limit)}
}

// maxReason is how many bytes of reason a close frame holds beside its code
// (RFC 6455, section 5.5).
const maxReason = maxControl - 2

// shortened is the reason cut to what a close frame can hold, between runes.
func shortened(reason string) string {
	if len(reason) <= maxReason {
		return reason
	}
	reason = reason[:maxReason]
	return reason[:len(reason)-PartialRune([]byte(reason))]
}

// closeFrame makes a close frame, as long as it may be.
func closeFrame(e Ending, masked bool) []byte {
	if e.Code == codeNoStatus {
		return appendFrame(nil, finBit|opClose, nil, masked)
	}
	payload := append([]byte{byte(e.Code >> 8), byte(e.Code)}, shortened(e.Reason)...)
	return appendFrame(nil, finBit|opClose, payload, masked)
}

// closed is what a close frame of ours says.
func closed(frame []byte) Ending {
	h := parseHeader(frame)
	payload := append([]byte(nil), frame[h.size:]...)
	if h.masked {
		applyMask(payload, h.key)
	}
	return endingIn(payload)
}

// endingIn is what the payload of a close frame says.
func endingIn(payload []byte) Ending {
	if len(payload) < 2 {
		return Ending{Code: codeNoStatus}
	}
	return Ending{int(payload[0])<<8 | int(payload[1]), string(payload[2:])}
}
