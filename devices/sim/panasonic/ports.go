package panasonic

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // the protocol demands it
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"
)

const (
	commandMost = 64
	idleMost    = 30 * time.Second // nothing heard for so long, and it hangs up
)

// listen serves the serial port.
func (p *Projector) listen(ctx context.Context, conn io.ReadWriter) error {
	var heard []byte
	buf := make([]byte, 64)
	for ctx.Err() == nil {
		n, err := conn.Read(buf)
		if err != nil {
			return err //nolint:wrapcheck // the end of a connection
		}
		heard = append(heard, buf[:n]...)
		for {
			begin := bytes.IndexByte(heard, 0x02)
			if begin < 0 || len(heard) > commandMost {
				heard = heard[:0]
				break
			}
			heard = heard[begin:]
			var reply []byte
			if len(heard) < 5 {
				break // no command is shorter
			}
			if heard[2] == 0xFE && heard[3] == 0xFE {
				reply = append([]byte{0x02, heard[1], 0xFE, 0xFE}, p.wrong()...)
				reply, heard = append(reply, 0x03), heard[5:]
			} else {
				end := bytes.IndexByte(heard, 0x03)
				if end < 0 {
					break
				}
				reply, heard = p.reply(string(heard[1:end])), heard[end+1:]
			}
			if reply == nil {
				continue
			}
			if _, err := conn.Write(reply); err != nil {
				return err //nolint:wrapcheck // the end of a connection
			}
		}
	}
	return nil
}

// reply answers a command of the serial port, unless it is for another projector.
func (p *Projector) reply(command string) []byte {
	if id, rest, ok := strings.Cut(command, ";"); ok {
		if id != "AD"+p.number && id != "ADZZ" {
			return nil
		}
		command = rest
	}
	text, why := p.obey(command)
	switch why {
	case unknown, notNow:
		text = "ER401"
	case wrongValue:
		text = "ER402"
	}
	return []byte("\x02" + text + "\x03")
}

// attend serves the network port: a greeting, one command, its reply.
func (p *Projector) attend(_ context.Context, conn io.ReadWriter) error {
	digest, greeting := "", "NTCONTROL 0\r"
	if p.password != "" {
		number := fmt.Sprintf("%08x", rand.Uint32())
		digest = fmt.Sprintf("%x", md5.Sum([]byte(p.user+":"+p.password+":"+number))) //nolint:gosec // as above
		greeting = "NTCONTROL 1 " + number + "\r"
	}
	if _, err := io.WriteString(conn, greeting); err != nil {
		return err //nolint:wrapcheck // the end of a connection
	}
	if c, ok := conn.(net.Conn); ok {
		_ = c.SetReadDeadline(time.Now().Add(p.scale(idleMost)))
	}
	var heard []byte
	buf := make([]byte, 64)
	for !bytes.Contains(heard, []byte("\r")) {
		n, err := conn.Read(buf)
		if err != nil {
			return err //nolint:wrapcheck // the end of a connection
		}
		if heard = append(heard, buf[:n]...); len(heard) > 2*commandMost {
			_, err := io.WriteString(conn, "ERR5\r")
			return err //nolint:wrapcheck // the end of a connection
		}
	}
	command, _, _ := strings.Cut(string(heard), "\r")
	_, err := io.WriteString(conn, p.networkReply(command, digest)+"\r")
	return err //nolint:wrapcheck // the end of a connection
}

func (p *Projector) networkReply(command, digest string) string {
	command, ok := strings.CutPrefix(command, digest)
	if !ok {
		return "ERRA"
	}
	if command, ok = strings.CutPrefix(command, "00"); !ok {
		return "ERR1"
	}
	text, why := p.obey(command)
	switch why {
	case unknown:
		return "ERR1"
	case wrongValue:
		return "ERR2"
	case notNow:
		return "ERR3"
	}
	return "00" + text
}
