package line

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"

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
	p := &prompt{tcp, raw}
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

// prompt is a connection that acknowledges what it has read.
type prompt struct {
	*net.TCPConn
	raw interface{ Control(func(fd uintptr)) error }
}

// Read implements net.Conn. The kernel forgets the wish (tcp(7), TCP_QUICKACK), so it is told every time; where it
// cannot be, the connection is no worse than any other.
func (p *prompt) Read(b []byte) (int, error) {
	n, err := p.TCPConn.Read(b)
	if err == nil {
		_ = p.raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) })
	}
	return n, err //nolint:wrapcheck // the connection's own
}
