package line

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
)

// Paho pings while it publishes: two packets are never mixed. And what comes in several at a time is read to its end.
func TestWhoWritesToABrokerAtOnceWritesWholePackets(t *testing.T) {
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer door.Close()
	const writers, packets = 2, 2000
	echoed := make(chan error, 1)
	go func() { // a broker that says back what it hears
		c, err := door.Accept()
		if err == nil {
			_, err = io.Copy(c, c)
			err = errors.Join(err, c.Close())
		}
		echoed <- err
	}()
	c, err := net.Dial("tcp", door.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p, err := newPrompt(c.(*net.TCPConn))
	if err != nil {
		t.Fatal(err)
	}
	wrote := make(chan error, writers)
	for w := range byte(writers) {
		go func() {
			packet, err := bytes.Repeat([]byte{w}, 64), error(nil)
			for range packets {
				_, e := p.Write(packet)
				err = errors.Join(err, e)
			}
			wrote <- err
		}()
	}
	heard := [writers]int{}
	for range writers * packets {
		packet := make([]byte, 64)
		if _, err := io.ReadFull(p, packet); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(packet, bytes.Repeat(packet[:1], len(packet))) {
			t.Fatalf("two packets in one: %v", packet)
		}
		heard[packet[0]]++
	}
	for range writers {
		if err := <-wrote; err != nil {
			t.Error(err)
		}
	}
	if heard != [writers]int{packets, packets} {
		t.Errorf("heard %v", heard)
	}
	_ = p.CloseWrite()
	if n, err := p.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %d, %v", n, err)
	}
	if err := <-echoed; err != nil {
		t.Error(err)
	}
}
