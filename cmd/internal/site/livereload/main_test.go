package livereload

import (
	"os"
	"testing"

	"github.com/wsbridge/wsbridge/cmd/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Checked{M: m}.Run()) }
