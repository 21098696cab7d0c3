package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// linesBacklog bounds what waits to be said to somebody who does not listen.
const linesBacklog = 64

// Lines is how equipment talks that hears commands ended by a carriage return and may speak up by
// itself on every connection that it has. The zero value is ready.
type Lines struct {
	mu    sync.Mutex
	talks map[chan string]bool
}

// Say says something to everybody who is connected, as it is. It does not block.
func (l *Lines) Say(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for out := range l.talks {
		whisper(out, text)
	}
}

func whisper(out chan string, text string) {
	select {
	case out <- text:
	default:
	}
}

// Serve talks on one connection until it or ctx ends. It hands each command to obey, without the
// carriage return and whatever line feed stood before it, and says what obey returns, as it is. A
// command has at most so many characters; the rest of a longer one is lost, as it is in equipment.
func (l *Lines) Serve(ctx context.Context, conn io.ReadWriter, longest int, obey func(command string) (answer string)) error {
	ctx, cancel := context.WithCancel(ctx)
	out := make(chan string, linesBacklog)
	l.mu.Lock()
	if l.talks == nil {
		l.talks = make(map[chan string]bool)
	}
	l.talks[out] = true
	l.mu.Unlock()
	var speaking sync.WaitGroup
	speaking.Go(func() {
		for {
			select {
			case text := <-out:
				if _, err := io.WriteString(conn, text); err != nil {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	})
	defer speaking.Wait()
	defer cancel()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.talks, out)
	}()
	var pending []byte
	for buf := make([]byte, 64); ; {
		n, err := conn.Read(buf)
		for _, c := range buf[:n] {
			switch {
			case c == '\r':
				if answer := obey(string(bytes.TrimSpace(pending))); answer != "" {
					whisper(out, answer)
				}
				pending = pending[:0]
			case len(pending) < longest:
				pending = append(pending, c)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("simulated equipment: %w", err)
		}
	}
}
