package sony

import (
	"bytes"
	"context"
	"fmt"

	"lectern/devices"
	"lectern/devices/line"
)

// A packet of SDCP: 02 0A, the community, the request or the result, the item, the length of the data
// and the data.
const (
	packetVersion  = 0x02
	packetCategory = 0x0A
	packetHead     = 10
	packetMost     = 128 // bytes of data

	communityLength = 4
	communityUsual  = "SONY"

	packetSet = 0x00
	packetGet = 0x01
	packetOK  = 0x01 // in an answer
)

// SDCPSettings are the settings of the driver sony-sdcp.
type SDCPSettings struct {
	Community string `yaml:"community" doc:"the community name of the projector's menu, four characters; default SONY"`
}

// Validate says what is wrong with the settings.
func (s *SDCPSettings) Validate() error {
	if len(s.Community) != communityLength {
		return fmt.Errorf("community %q: it has four characters", s.Community)
	}
	return nil
}

// packet is a packet that has been read, or is to be sent.
type packet struct {
	community string
	code      byte // the request, or in an answer the result
	item      item
	data      []byte
}

func (p packet) encode() []byte {
	b := append([]byte{packetVersion, packetCategory}, p.community...)
	b = append(b, p.code, byte(p.item>>8), byte(p.item), byte(len(p.data)))
	return append(b, p.data...)
}

// splitPackets cuts the stream into packets. What begins none is cut off up to the next byte that may.
func splitPackets(got []byte) int {
	switch {
	case len(got) == 0:
		return 0
	case got[0] != packetVersion:
		if next := bytes.IndexByte(got, packetVersion); next > 0 {
			return next
		}
		return len(got)
	case len(got) > 1 && got[1] != packetCategory, len(got) >= packetHead && got[packetHead-1] > packetMost:
		return 1
	case len(got) < packetHead:
		return 0
	}
	n := packetHead + int(got[packetHead-1])
	if len(got) < n {
		return 0
	}
	return n
}

// parsePacket reads a packet as cut by splitPackets; false for noise.
func parsePacket(b []byte) (packet, bool) {
	if len(b) < packetHead || splitPackets(b) != len(b) || b[0] != packetVersion || b[1] != packetCategory {
		return packet{}, false
	}
	return packet{community: string(b[2:6]), code: b[6], item: item(b[7])<<8 | item(b[8]), data: b[packetHead:]}, true
}

// value is two bytes of data; one byte counts as its low half.
func (p packet) value() (uint16, bool) {
	switch len(p.data) {
	case 1:
		return uint16(p.data[0]), true
	case 2:
		return uint16(p.data[0])<<8 | uint16(p.data[1]), true
	}
	return 0, false
}

// answers reports whether a packet is the answer to another. Only a refusal may come from another
// community: that may be its reason.
func (p packet) answers(asked packet) bool {
	return p.item == asked.item && (p.code != packetOK || p.community == asked.community)
}

// SDCP is a projector on the network. Its methods may be called from any goroutine.
type SDCP struct {
	line      *line.Line
	community string
}

var (
	_ devices.Projector = (*SDCP)(nil)
	_ items             = (*SDCP)(nil)
)

func newSDCP(e devices.Env, with SDCPSettings) (any, error) {
	if err := e.Line.Use(line.Session{Name: "SDCP", Split: splitPackets, Explain: explainPacket}); err != nil {
		return nil, fmt.Errorf("sony-sdcp: %w", err)
	}
	return &SDCP{line: e.Line, community: with.Community}, nil
}

// ask sends a packet and returns its answer.
func (p *SDCP) ask(ctx context.Context, asked packet, note string) (packet, error) {
	asked.community = p.community
	b, err := p.line.Do(ctx, line.Exchange{
		Request: asked.encode(), Note: note, Timeout: replyTime, Explain: explainPacket,
		Accept: func(b []byte) bool {
			got, ok := parsePacket(b)
			return ok && got.answers(asked)
		},
	})
	if err != nil {
		return packet{}, fmt.Errorf("sony-sdcp %s: %w", note, err)
	}
	got, _ := parsePacket(b)
	if got.code != packetOK {
		code, _ := got.value()
		return packet{}, fmt.Errorf("sony-sdcp %s: %w", note, rejection(code))
	}
	return got, nil
}

func (p *SDCP) get(ctx context.Context, i item) (uint16, error) {
	got, err := p.ask(ctx, packet{code: packetGet, item: i}, i.String())
	if err != nil {
		return 0, err
	}
	value, ok := got.value()
	if !ok {
		return 0, fmt.Errorf("sony-sdcp %s: %w: %d bytes of data where two are due", i, line.ErrGarbled, len(got.data))
	}
	return value, nil
}

func (p *SDCP) set(ctx context.Context, i item, value uint16) error {
	_, err := p.ask(ctx, packet{code: packetSet, item: i, data: []byte{byte(value >> 8), byte(value)}}, fmt.Sprintf("%s %04X", i, value))
	return err
}

// Status implements devices.Projector.
func (p *SDCP) Status(ctx context.Context) (devices.ProjectorStatus, error) { return status(ctx, p) }

// SetInput implements devices.Projector.
func (p *SDCP) SetInput(ctx context.Context, code string) error { return setInput(ctx, p, code) }

// SetPower implements devices.Projector.
func (p *SDCP) SetPower(ctx context.Context, on bool) error {
	return p.set(ctx, itemPower, map[bool]uint16{true: 1, false: 0}[on])
}

// explainPacket says in words what a packet means.
func explainPacket(b []byte) string {
	p, ok := parsePacket(b)
	if !ok {
		return "noise"
	}
	value, has := p.value()
	switch {
	case p.code != packetOK:
		return rejection(value).Error()
	case has:
		return explainItem(p.item, value)
	}
	return p.item.String() + ": done"
}
