package line

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"runtime"
	"sync"
	"unsafe"

	paho "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/sys/unix"
)

// OpenBroker opens the connection to a broker, for paho's SetCustomOpenConnectionFn. It is as paho's own, tcp and
// ssl, but for one thing: what arrives is acknowledged at once. Mosquitto leaves Nagle's algorithm on unless
// set_tcp_nodelay is set, and so holds a command back while the acknowledgement of what it sent before is under
// way, which Linux delays by 40 ms.
func OpenBroker(uri *url.URL, o paho.ClientOptions) (net.Conn, error) {
	c, err := (&net.Dialer{Timeout: o.ConnectTimeout}).Dial("tcp", uri.Host)
	if err != nil {
		return nil, err //nolint:wrapcheck // says where to
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%s is no TCP connection", uri.Host), c.Close())
	}
	p, err := newPrompt(tcp)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if uri.Scheme != "ssl" {
		return p, nil
	}
	config := o.TLSConfig.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	if config.ServerName == "" {
		config.ServerName = uri.Hostname()
	}
	secure := tls.Client(p, config)
	ctx, cancel := context.WithTimeout(context.Background(), o.ConnectTimeout)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return secure, nil
}

// prompt is a connection that acknowledges what it has read. It reads as much as there is: paho asks for a packet's first
// byte, its length and the rest one after the other, and each would be a call of the system and an acknowledgement.
type prompt struct {
	*net.TCPConn
	taken *bufio.Reader
	wire  *direct
	turn  sync.Mutex // paho pings while it publishes
}

func newPrompt(c *net.TCPConn) (*prompt, error) {
	wire, err := newDirect(c.RemoteAddr().String(), c)
	if err != nil {
		return nil, err
	}
	return &prompt{TCPConn: c, taken: bufio.NewReader(&acknowledging{wire: wire}), wire: wire}, nil
}

// Read implements net.Conn. It is for one goroutine.
func (p *prompt) Read(b []byte) (int, error) { return p.taken.Read(b) } //nolint:wrapcheck // the connection's own

// Write implements net.Conn.
func (p *prompt) Write(b []byte) (int, error) {
	p.turn.Lock()
	defer p.turn.Unlock()
	return p.wire.Write(b)
}

// acknowledging reads from a connection, and acknowledges.
type acknowledging struct {
	wire *direct
	owed bool // what was read is not acknowledged yet
}

// Read implements io.Reader. Who reads on has taken what there was; it is acknowledged then, and not sooner: whoever was
// given it goes first, and often has an answer that acknowledges it as well. The kernel forgets the wish (tcp(7),
// TCP_QUICKACK), so it is told every time; where it cannot be, the connection is no worse than any other.
func (a *acknowledging) Read(b []byte) (int, error) {
	if a.owed {
		a.owed = false
		runtime.Gosched()
		_ = a.wire.raw.Control(acknowledge)
	}
	n, err := a.wire.Read(b)
	a.owed = err == nil
	return n, err
}

func acknowledge(fd uintptr) {
	now := int32(1)
	_, _, _ = unix.RawSyscall6(unix.SYS_SETSOCKOPT, fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK, uintptr(unsafe.Pointer(&now)), unsafe.Sizeof(now), 0)
}
