package sony

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"lectern/devices/devicetest/fuzz"
)

// raw reads bytes as a manual prints them.
func raw(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFramesOfTheManual(t *testing.T) {
	for want, f := range map[string]frame{
		"A9 17 2E 00 00 00 3F 9A": {item: keyOn, kind: kindSet},
		"A9 17 2F 00 00 00 3F 9A": {item: keyOff, kind: kindSet},
		"A9 01 02 01 00 00 03 9A": {item: itemStatus, kind: kindGet},
		"A9 01 13 01 00 00 13 9A": {item: itemLamp, kind: kindGet},
		"A9 00 01 00 00 03 03 9A": {item: itemInput, kind: kindSet, value: 3},
		"A9 00 30 00 00 01 31 9A": {item: 0x0030, kind: kindSet, value: 1},
		"A9 00 00 03 00 00 03 9A": {kind: kindAck},
	} {
		if got := f.encode(); !bytes.Equal(got, raw(t, want)) {
			t.Errorf("% X, not %s", got, want)
		}
		if got, ok := parseFrame(raw(t, want)); !ok || got != f {
			t.Errorf("%s is %+v", want, got)
		}
	}
}

func TestFramesAreFoundInNoise(t *testing.T) {
	good := "A9 01 02 02 00 03 03 9A"
	for name, noise := range map[string]string{
		"in front": "00 FF 9A", "a start in front": "A9", "a wrong check sum": "A9 01 02 02 00 03 04 9A", "no end": "A9 01 02 02 00 03 03 00",
	} {
		stream := raw(t, noise+good)
		var found [][]byte
		for n := splitFrames(stream); n > 0; n = splitFrames(stream) {
			if _, ok := parseFrame(stream[:n]); ok {
				found = append(found, stream[:n])
			}
			stream = stream[n:]
		}
		if len(found) != 1 || !bytes.Equal(found[0], raw(t, good)) || len(stream) > 0 {
			t.Errorf("%s: found % X, left % X", name, found, stream)
		}
	}
}

func TestOnlyTheAskedItemAnswers(t *testing.T) {
	asked, told := frame{item: itemStatus, kind: kindGet}, frame{item: itemInput, kind: kindSet, value: 2}
	for _, c := range []struct {
		frame, asked frame
		want         bool
	}{
		{frame{item: itemStatus, kind: kindReply, value: 3}, asked, true},
		{frame{item: itemInput, kind: kindReply, value: 3}, asked, false}, // late
		{frame{kind: kindAck}, asked, false},                              // late
		{frame{item: errNotNow, kind: kindAck}, asked, true},
		{frame{kind: kindAck}, told, true},
		{frame{item: errRange, kind: kindAck}, told, true},
		{frame{item: itemInput, kind: kindReply}, told, false},
		{frame{item: itemStatus, kind: kindGet}, asked, false}, // its own echo
	} {
		if got := c.frame.answers(c.asked); got != c.want {
			t.Errorf("%+v to %+v: %v", c.frame, c.asked, got)
		}
	}
}

func TestPacketsOfTheManual(t *testing.T) {
	for want, p := range map[string]packet{
		"02 0A 53 4F 4E 59 01 01 02 00":       {community: "SONY", code: packetGet, item: itemStatus},
		"02 0A 53 4F 4E 59 00 01 30 02 00 01": {community: "SONY", code: packetSet, item: itemPower, data: []byte{0, 1}},
		"02 0A 53 4F 4E 59 01 01 02 02 00 03": {community: "SONY", code: packetOK, item: itemStatus, data: []byte{0, 3}},
	} {
		if got := p.encode(); !bytes.Equal(got, raw(t, want)) {
			t.Errorf("% X, not %s", got, want)
		}
		got, ok := parsePacket(raw(t, want))
		if !ok || got.community != p.community || got.code != p.code || got.item != p.item || !bytes.Equal(got.data, p.data) {
			t.Errorf("%s is %+v", want, got)
		}
	}
}

func TestPacketsAreFoundInNoise(t *testing.T) {
	good := "02 0A 53 4F 4E 59 01 01 02 02 00 03"
	for name, noise := range map[string]string{"in front": "00 FF", "a start in front": "02", "a length that none has": "02 0A 53 4F 4E 59 01 01 02 FF"} {
		stream := raw(t, noise+good)
		var found [][]byte
		for n := splitPackets(stream); n > 0; n = splitPackets(stream) {
			if _, ok := parsePacket(stream[:n]); ok {
				found = append(found, stream[:n])
			}
			stream = stream[n:]
		}
		if len(found) != 1 || !bytes.Equal(found[0], raw(t, good)) || len(stream) > 0 {
			t.Errorf("%s: found % X, left % X", name, found, stream)
		}
	}
}

func TestOnlyTheAskedPacketAnswers(t *testing.T) {
	asked := packet{community: "SONY", code: packetGet, item: itemStatus}
	for _, c := range []struct {
		packet packet
		want   bool
	}{
		{packet{community: "SONY", code: packetOK, item: itemStatus}, true},
		{packet{community: "SONY", code: packetOK, item: itemInput}, false},
		{packet{community: "ELSE", code: packetOK, item: itemStatus}, false},
		{packet{community: "ELSE", code: 0, item: itemStatus}, true}, // a refusal may say just that
	} {
		if got := c.packet.answers(asked); got != c.want {
			t.Errorf("%+v: %v", c.packet, got)
		}
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte{0xA9, 0x01, 0x02, 0x02, 0x00, 0x03, 0x03, 0x9A})
	f.Add([]byte{0xA9, 0xA9, 0x9A})
	fuzz.Run(f, func(t *testing.T, got []byte) {
		n := splitFrames(got)
		if n < 0 || n > len(got) || len(got) >= frameLength && n == 0 {
			t.Fatalf("cut %d of %d", n, len(got))
		}
		if read, ok := parseFrame(got[:n]); ok && !bytes.Equal(read.encode(), got[:n]) {
			t.Fatalf("% X is written % X", got[:n], read.encode())
		}
		_ = explainFrame(got[:n])
	})
}

func FuzzPackets(f *testing.F) {
	f.Add([]byte("\x02\x0ASONY\x01\x01\x02\x02\x00\x03"))
	f.Add([]byte("\x02\x0ASONY\x00\x01\x02\xFF\x02"))
	fuzz.Run(f, func(t *testing.T, got []byte) {
		n := splitPackets(got)
		if n < 0 || n > len(got) || len(got) >= packetHead+packetMost && n == 0 {
			t.Fatalf("cut %d of %d", n, len(got))
		}
		if read, ok := parsePacket(got[:n]); ok && !bytes.Equal(read.encode(), got[:n]) {
			t.Fatalf("% X is written % X", got[:n], read.encode())
		}
		_ = explainPacket(got[:n])
	})
}
