package loopback

import (
	"io"
	"log/slog"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// anybody may come in.
type anybody struct{ mochi.HookBase }

func (anybody) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}
func (anybody) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (anybody) OnACLCheck(*mochi.Client, string, bool) bool              { return true }

// serve starts a server behind a door, and a client that has come in by it.
func serve(t *testing.T) (*mochi.Server, net.Conn) {
	t.Helper()
	server, address := openDoor(t)
	return server, come(t, address, "me")
}

func openDoor(t *testing.T) (server *mochi.Server, address string) {
	t.Helper()
	server = mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler), SysTopicResendInterval: 1 << 30})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for _, hook := range []mochi.Hook{new(anybody), new(Turns)} {
		if err := server.AddHook(hook, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := server.AddListener(Door(listeners.NewNet("loopback", listener), server)); err != nil {
		t.Fatal(err)
	}
	if err := server.Serve(); err != nil {
		t.Fatal(err)
	}
	return server, listener.Addr().String()
}

// come comes in, with an id of two letters.
func come(t *testing.T, address, id string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	// CONNECT of MQTT 3.1.1, section 3.1, with a clean session and an id; and the CONNACK of section 3.2.
	if _, err := c.Write([]byte("\x10\x0e\x00\x04MQTT\x04\x02\x00\x00\x00\x02" + id)); err != nil {
		t.Fatal(err)
	}
	var answer [4]byte
	if _, err := c.Read(answer[:]); err != nil || answer != [4]byte{0x20, 2, 0, 0} {
		t.Fatalf("the server says % x, %v", answer, err)
	}
	return c
}

func ends(t *testing.T, server *mochi.Server) {
	t.Helper()
	over := make(chan error, 1)
	go func() { over <- server.Close() }()
	select {
	case err := <-over:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the server does not end")
	}
}

func TestWhoIsInIsSeenOutAndNobodyComesAfter(t *testing.T) {
	server, c := serve(t)
	defer c.Close()
	ends(t, server)
	if _, err := io.ReadAll(c); err != nil { // DISCONNECT, and no more
		t.Error(err)
	}
	if again, err := net.Dial("tcp", c.RemoteAddr().String()); err == nil {
		_ = again.Close()
		t.Error("the door is open after the end")
	}
}

func TestTheServerEndsWhileClientsLeave(t *testing.T) {
	for range 20 {
		server, c := serve(t)
		stop := make(chan struct{})
		var leaving sync.WaitGroup
		for range 4 {
			leaving.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						server.Clients.Lock() // as when one leaves
						runtime.Gosched()
						server.Clients.Unlock()
					}
				}
			})
		}
		ends(t, server)
		close(stop)
		leaving.Wait()
		_ = c.Close()
	}
}

// Under the race detector: without turns the library reads what it writes.
func TestMessagesAreKeptWhileOthersSubscribe(t *testing.T) {
	server, address := openDoor(t)
	var wg sync.WaitGroup
	for i, say := range []func(n int) string{
		func(n int) string { return "\x31\x06\x00\x03a/" + string(rune('a'+n%20)) + "x" },      // PUBLISH, to be kept (3.3)
		func(n int) string { return "\x82\x06\x00" + string(rune(1+n%100)) + "\x00\x01#\x00" }, // SUBSCRIBE (3.8)
	} {
		c := come(t, address, string(rune('a'+i))+"x")
		defer c.Close()
		wg.Go(func() {
			for n := range 500 {
				if _, err := io.WriteString(c, say(n)); err != nil {
					t.Error(err)
				}
			}
			if _, err := io.WriteString(c, "\xe0\x00"); err != nil { // DISCONNECT (3.14)
				t.Error(err)
			}
		})
		wg.Go(func() {
			if n, err := io.Copy(io.Discard, c); err != nil || i == 1 && n == 0 {
				t.Errorf("%d bytes, %v", n, err)
			}
		})
	}
	wg.Wait()
	if n := len(server.Topics.Messages("a/+")); n != 20 {
		t.Errorf("%d messages are kept", n)
	}
	ends(t, server)
}
