package line

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

// answerMost bounds a datagram that is read; what is longer is no answer to a search.
const answerMost = 1500

// Search asks everybody on a network at once, by one UDP datagram to an address (255.255.255.255:4352),
// and hands on whatever comes back to the local port until ctx ends. Local is host:port; an empty host
// is every interface.
func Search(ctx context.Context, local, address string, request []byte, heard func(from string, answer []byte)) error {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) {
			failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_BROADCAST, 1)
		})
		return errors.Join(err, failed)
	}}
	conn, err := config.ListenPacket(ctx, "udp4", local)
	if err != nil {
		return fmt.Errorf("listening for answers at %s: %w", local, err)
	}
	defer conn.Close()
	to, err := net.ResolveUDPAddr("udp4", address)
	if err != nil {
		return fmt.Errorf("searching at %s: %w", address, err)
	}
	if _, err := conn.WriteTo(request, to); err != nil {
		return fmt.Errorf("searching at %s: %w", address, err)
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })()
	buf := make([]byte, answerMost)
	for {
		n, from, err := conn.ReadFrom(buf)
		if ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("listening for answers at %s: %w", local, err)
		}
		host, _, err := net.SplitHostPort(from.String())
		if err != nil {
			continue
		}
		heard(host, append([]byte(nil), buf[:n]...))
	}
}
