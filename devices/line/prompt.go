package line

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"syscall"

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
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("connection to %s: %w", uri.Host, err), c.Close())
	}
	p := newPrompt(tcp, raw)
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
}

func newPrompt(c *net.TCPConn, raw syscall.RawConn) *prompt {
	return &prompt{c, bufio.NewReader(acknowledging{c, raw})}
}

// Read implements net.Conn.
func (p *prompt) Read(b []byte) (int, error) { return p.taken.Read(b) } //nolint:wrapcheck // the connection's own

// acknowledging reads from a connection, and acknowledges.
type acknowledging struct {
	from io.Reader
	raw  syscall.RawConn
}

// Read implements io.Reader. The kernel forgets the wish (tcp(7), TCP_QUICKACK), so it is told every time; where it
// cannot be, the connection is no worse than any other.
func (a acknowledging) Read(b []byte) (int, error) {
	n, err := a.from.Read(b)
	if err == nil {
		_ = a.raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) })
	}
	return n, err //nolint:wrapcheck // the connection's own
}
