package panasonic

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"lectern/devices"
	"lectern/devices/line"
)

// The self-diagnosis of the PT-D10000 and PT-DW10000 ("Self-diagnosis result", p. 9 of their
// specifications): STX, ID, FEh, FEh, ETX, answered with 16 bytes before the ETX, the first of which
// begins with bit 127 and the last of which ends with bit 0.
const (
	selfTestMark   = 0xFE
	selfTestStart  = 4
	selfTestLength = 21
)

func selfTestRequest(id byte) []byte { return []byte{stx, id, selfTestMark, selfTestMark, etx} }

// isSelfTest reports whether a frame begins as the reply to the self-diagnosis.
func isSelfTest(frame []byte) bool {
	return len(frame) >= selfTestStart && frame[0] == stx && frame[2] == selfTestMark && frame[3] == selfTestMark
}

// diagnose asks what is wrong.
func (p *Projector) diagnose(ctx context.Context) (devices.Fault, error) {
	frame, err := p.line.Do(ctx, line.Exchange{
		Request: p.selfTest, Note: "self-diagnosis", Timeout: readTime, Pause: p.speech.pause,
		Accept: func(f []byte) bool {
			return len(f) == selfTestLength && isSelfTest(f) && f[selfTestLength-1] == etx
		},
		Explain: func(f []byte) string { return diagnosis(f).Text.EN },
	})
	if err != nil {
		return devices.Fault{}, fmt.Errorf("panasonic self-diagnosis: %w", err)
	}
	return diagnosis(frame), nil
}

// diagnosis puts a reply into words, all that is wrong at once. The code is the 16 bytes as on the
// wire, without the zeros at the front.
func diagnosis(frame []byte) devices.Fault {
	if len(frame) != selfTestLength {
		return devices.Fault{}
	}
	bits := frame[selfTestStart : selfTestLength-1]
	var zh, en []string
	for n := range 8 * len(bits) {
		if bits[len(bits)-1-n/8]&(1<<(n%8)) != 0 {
			p := bitWords(n)
			zh, en = append(zh, p.ZH), append(en, p.EN)
		}
	}
	if len(en) == 0 {
		return devices.Fault{}
	}
	return devices.Fault{
		Code: fmt.Sprintf("%X", bytes.TrimLeft(bits, "\x00")),
		Text: devices.Phrase{ZH: strings.Join(zh, "；"), EN: strings.Join(en, "; ")},
	}
}

// bitWords says what a bit of the self-diagnosis means, as far as its table was to be had.
func bitWords(n int) devices.Phrase {
	heat := []devices.Phrase{
		{ZH: "进气温度告警", EN: "Intake air temperature warning"},
		{ZH: "光学部温度告警", EN: "Optical module temperature warning"},
		{ZH: "排气温度告警", EN: "Exhaust air temperature warning"},
		{ZH: "光学部温度过低告警", EN: "Optical module low temperature warning"},
		{ZH: "进气温度过高", EN: "Intake air too hot"},
		{ZH: "光学部温度过高", EN: "Optical module too hot"},
		{ZH: "排气温度过高", EN: "Exhaust air too hot"},
		{ZH: "光学部温度过低", EN: "Optical module too cold"},
	}
	lamp := []devices.Phrase{
		{ZH: "灯泡%d使用时间告警", EN: "Lamp %d operating time warning"},
		{ZH: "灯泡%d使用时间超限，请更换", EN: "Lamp %d operating time exceeded: replace it"},
		{ZH: "灯泡%d熄灭", EN: "Lamp %d went out"},
		{ZH: "灯泡%d未点亮", EN: "Lamp %d did not light"},
	}
	const first = 8 // bit of the lamps, of which there are four
	if n < first {
		return heat[n]
	}
	if kind := (n - first) / 4; kind < len(lamp) {
		number := (n-first)%4 + 1
		return devices.Phrase{ZH: fmt.Sprintf(lamp[kind].ZH, number), EN: fmt.Sprintf(lamp[kind].EN, number)}
	}
	return devices.Phrase{ZH: fmt.Sprintf("自检位%d", n), EN: fmt.Sprintf("Self-diagnosis bit %d", n)}
}
