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

func (anybody) Provides(b byte) bool                                     { return b == mochi.OnConnectAuthenticate }
func (anybody) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }

// serve starts a server behind a door, and a client that has come in by it.
func serve(t *testing.T) (*mochi.Server, net.Conn) {
	t.Helper()
	server := mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler)})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := server.AddHook(new(anybody), nil); err != nil {
		t.Fatal(err)
	}
	if err := server.AddListener(Door(listeners.NewNet("loopback", listener), server)); err != nil {
		t.Fatal(err)
	}
	if err := server.Serve(); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	// CONNECT of MQTT 3.1.1, section 3.1, with a clean session and the id "me"; and the CONNACK of section 3.2.
	if _, err := c.Write([]byte("\x10\x0e\x00\x04MQTT\x04\x02\x00\x00\x00\x02me")); err != nil {
		t.Fatal(err)
	}
	var answer [4]byte
	if _, err := c.Read(answer[:]); err != nil || answer != [4]byte{0x20, 2, 0, 0} {
		t.Fatalf("the server says % x, %v", answer, err)
	}
	return server, c
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
