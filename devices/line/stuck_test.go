package line_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/creack/pty"

	"lectern/devices/line"
)

// A port that takes nothing, as one does whose other end holds it up by its flow control, is given up in bounded time.
func TestAPortThatTakesNothingIsGivenUp(t *testing.T) {
	t.Parallel()
	far, near, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	defer near.Close()
	l := run(t, line.Config{ID: "line", Kind: line.Serial, Port: near.Name(), Baud: 115200}, nil)
	_, err = l.Do(person(t), line.Exchange{Unit: "unit 1", Request: bytes.Repeat([]byte{0x55}, 16<<10), OneWay: true})
	if !errors.Is(err, line.ErrDown) || !strings.Contains(err.Error(), "the port takes nothing") {
		t.Errorf("it says %v", err)
	}
}
