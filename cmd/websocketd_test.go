package cmd

import (
	"slices"
	"strings"
	"testing"
)

// websocketdFlags are those of websocketd, all of which mean something here.
var websocketdFlags = strings.Fields(`
	address binary cgidir closems devconsole dir header header-http header-ws help
	license loglevel maxforks maxframesize origin passenv passstderr pingms port redirport
	reverselookup sameorigin ssl sslca sslcert sslkey staticdir unixsocket version`)

func TestWebsocketdFlags(t *testing.T) {
	root := newRootCmd(streams{}, nil, nil)
	for _, name := range websocketdFlags {
		f := root.Flags().Lookup(name)
		if f == nil {
			t.Errorf("no --%s", name)
			continue
		}
		switchLike := f.NoOptDefVal != ""
		takesNoValue := slices.Contains([]string{"binary", "devconsole", "help", "license", "passstderr", "reverselookup", "sameorigin", "ssl", "version"}, name)
		if switchLike != takesNoValue {
			t.Errorf("--%s: takes no value: %t, want %t", name, switchLike, takesNoValue)
		}
	}
}

// The arguments of websocketd as people have written them into their scripts,
// units and pages, and where the command begins.
func TestWebsocketdCommandLines(t *testing.T) {
	for _, test := range []struct{ args, command string }{
		{"--port=8080 ./count.sh", "./count.sh"},
		{"--port 8080 ls -l --port", "ls -l --port"},
		{"-port=4444 tail -f log.txt", "tail -f log.txt"},
		{"-port 8080 -- script -pq data/midi.mat", "script -pq data/midi.mat"},
		{"-port=8080 -passenv=PATH,GOPATH --staticdir=client ./scantest", "./scantest"},
		{"--port=8080 --passenv PYTHONPATH,PATH,DISPLAY --staticdir ../html python main.py", "python main.py"},
		{"--staticdir=./pages --port=8000 ./count.sh", "./count.sh"},
		{"--port=1088 --staticdir=. sh -c tail", "sh -c tail"},
		{"--address 127.0.0.1 --port=8006 /run/socket.sh", "/run/socket.sh"},
		{"--address=0.0.0.0 --port=8013 tail -n 100 -F /var/log/liquid.log", "tail -n 100 -F /var/log/liquid.log"},
		{"--port=8080 --address=[::1] --address=10.0.0.1 cat", "cat"},
		{"--address=localhost --loglevel=debug --binary=true --port=8080 run.bat", "run.bat"},
		{"--loglevel error --maxforks 250 --port 7682 /openils/bin/osrf-websocket-stdio", "/openils/bin/osrf-websocket-stdio"},
		{"--loglevel=fatal --maxforks=-1 --closems=1000 --pingms=5000 --maxframesize=4096 cat", "cat"},
		{"--maxforks -1 --binary=false --sameorigin=true cat", "cat"},
		{"--port=8080 --origin=example.com,localhost:8080 --sameorigin=false cat", "cat"},
		{"--port=8080 --address=127.0.0.1 --origin=https://example.com /opt/myapp/script.sh", "/opt/myapp/script.sh"},
		{"--unixsocket=/run/app.sock --reverselookup=false ./app.py", "./app.py"},
		{"--port=443 --ssl --sslcert=cert.pem --sslkey=key.pem --redirport=80 ./count.sh", "./count.sh"},
		{"-ssl -sslcert=cert.pem -sslkey key.pem -sslca ca.pem cat", "cat"},
		{"--port=8080 --dir=./scripts", ""},
		{"-port 8080 -dir scripts --staticdir=. --cgidir=./cgi-bin", ""},
		{"--port=1234 --cgidir=examples/cgi-bin", ""},
		{"--port=8080 --staticdir=.", ""},
		{"--port=8080 --dir=scripts", ""},
		{"--port=9393 --staticdir=static/ --dir bin/ --loglevel=debug", ""},
		{"--address=127.0.0.1 --port=8000 --staticdir=docs --cgidir=cgi --dir ws", ""},
		{"--staticdir=docs --cgidir=cgi ws/count.py", "ws/count.py"},
		{"--port=8080 --dir=websocket --staticdir=static --cgidir=cgi", ""},
		{"--port=9092 --devconsole tail -f monero.log", "tail -f monero.log"},
		{"-port 8080 --devconsole ./call_pandoc.sh", "./call_pandoc.sh"},
		{"--port=3433 --dir=. --devconsole", ""},
		{"--port=8080 --devconsole --passenv PATH ./count.hs", "./count.hs"},
		{"--devconsole --passstderr --port=8080 ./myscript.sh", "./myscript.sh"},
		{"--header=Server:someserver/0.0.1 --header-ws=X-A:1 --header-http=X-B:2 --header X-C:3 cat", "cat"},
		{"--ssl --sslcert=/etc/ssl/cert.pem --sslkey=/etc/ssl/key.pem --binary=true --port=8080 socat - TCP4:localhost:53700", "socat - TCP4:localhost:53700"},
		{"--ssl -sslkey certs/server.key --sslcert certs/server_cert.pem --port 8080 -- sh -c ./test.sh", "sh -c ./test.sh"},
		{"--port=8443 --ssl --sslcert=cert.pem --sslkey=key.pem --sslca=ca.pem --redirport=8080 cat", "cat"},
		{"--reverselookup=false --port=8080 cat", "cat"},
		{"--reverselookup cat", "cat"},
		{"--unixsocket=/tmp/websocketd.sock cat", "cat"},
		{"--port=8080 --unixsocket=/tmp/websocketd.sock cat", "cat"},
	} {
		o, _, status, stderr := parse(strings.Fields(test.args)...)
		if status != 0 {
			t.Errorf("%s: exit status %d, %s", test.args, status, stderr)
		} else if got := strings.Join(o.command, " "); got != test.command {
			t.Errorf("%s: the command is %q, want %q", test.args, got, test.command)
		}
	}
}
