package sim

import (
	"context"
	"fmt"
	"io"
	"net"
)

// Server is equipment that brings its own Modbus TCP server, which opens its port by itself.
type Server interface {
	Equipment
	// ServeTCP serves at a host:port (port 0 for any) until ctx ends, and returns the address.
	ServeTCP(ctx context.Context, address string) (bound string, err error)
}

// Relay puts a server on a TCP listener of the stage at address (host:port, port 0 for any). What
// arrives is passed on to the server's own port, so that the wire, with its record and its faults,
// stands in between.
func (s *Stage) Relay(address string, server Server) (*Wire, error) {
	bound, err := server.ServeTCP(s.ctx, "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("simulated equipment at %s: %w", address, err)
	}
	return s.TCP(address, relay{Equipment: server, address: bound})
}

// relay passes connections on to a server that listens elsewhere.
type relay struct {
	Equipment
	address string
}

// Serve implements Stream.
func (r relay) Serve(ctx context.Context, conn io.ReadWriter) error {
	server, err := (&net.Dialer{}).DialContext(ctx, "tcp", r.address)
	if err != nil {
		return fmt.Errorf("relaying to %s: %w", r.address, err)
	}
	defer server.Close()
	over := make(chan struct{})
	go func() {
		defer close(over)
		_, _ = io.Copy(server, conn)
		_ = server.Close()
	}()
	_, err = io.Copy(conn, server)
	if c, ok := conn.(io.Closer); ok {
		_ = c.Close() // the daemon must see the server's end of it
	}
	<-over
	if err != nil {
		return fmt.Errorf("relaying to %s: %w", r.address, err)
	}
	return nil
}
