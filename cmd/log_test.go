package cmd

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"regexp"
	"testing"

	"github.com/wsbridge/wsbridge/bridge"
)

func TestLogLevels(t *testing.T) {
	levels := []slog.Level{slog.LevelDebug, levelTrace, bridge.LevelAccess, slog.LevelInfo, slog.LevelError, levelFatal}
	for i, name := range levelNames {
		var buf bytes.Buffer
		log := newLogger(&buf, name, "text")
		for _, level := range levels {
			log.Log(t.Context(), level, "x")
		}
		if got, want := bytes.Count(buf.Bytes(), []byte("\n")), len(levels)-i; got != want {
			t.Errorf("--loglevel=%s lets %d lines through, want %d", name, got, want)
		}
		if i < len(levels) && levelName(levels[i]) != name {
			t.Errorf("level %v is shown as %s, want %s", levels[i], levelName(levels[i]), name)
		}
	}
}

func TestLogFormats(t *testing.T) {
	var buf bytes.Buffer
	newLogger(&buf, "access", "text").Log(t.Context(), bridge.LevelAccess, "open", "id", 7)
	if !regexp.MustCompile(`^time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} level=access msg=open id=7\n$`).Match(buf.Bytes()) {
		t.Errorf("%q", &buf)
	}
	buf.Reset()
	logAlways(newLogger(&buf, "fatal", "json"), "listening on", "url", "ws://h/")
	var line struct{ Time, Level, Msg, URL string }
	if err := json.Unmarshal(buf.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line.Time == "" || line.Level != "info" || line.Msg != "listening on" || line.URL != "ws://h/" {
		t.Errorf("%s", &buf)
	}
}
