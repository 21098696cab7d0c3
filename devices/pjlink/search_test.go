package pjlink

import (
	"context"
	"net"
	"testing"
	"time"

	"lectern/devices/devicetest/fuzz"
)

// A projector of class 2 answers a search by its hardware address; what else comes by is passed over.
func TestASearchHearsWhoAnswersIt(t *testing.T) {
	projector, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 64)
		n, from, err := projector.ReadFrom(buf)
		if err != nil || string(buf[:n]) != "%2SRCH\r" {
			t.Errorf("heard %q, %v", buf[:n], err)
			return
		}
		for _, answer := range []string{"hello\r", "%2ACKN=00:1a:2b:3c:4d:5e\r", "%2ACKN=00:1a:2b:3c:4d:5e\r"} {
			if _, err := projector.WriteTo([]byte(answer), from); err != nil {
				t.Error(err)
			}
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var found []string
	err = Search(ctx, "127.0.0.1:0", projector.LocalAddr().String(), func(address, mac string) {
		found = append(found, address+" "+mac)
		cancel()
	})
	if err != nil || len(found) != 1 || found[0] != "127.0.0.1:4352 00:1a:2b:3c:4d:5e" {
		t.Errorf("%q, %v", found, err)
	}
	<-done
	_ = projector.Close()
}

func FuzzAcknowledged(f *testing.F) {
	f.Add([]byte("%2ACKN=00:1a:2b:3c:4d:5e\r"))
	f.Add([]byte("%2ACKN"))
	fuzz.Run(f, func(t *testing.T, answer []byte) { acknowledged(answer) })
}
