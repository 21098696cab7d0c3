package itach

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"lectern/devices"
)

// encode makes the command that sends a code.
func encode(module, port int, id uint16, c Code) []byte {
	b := fmt.Appendf(nil, "sendir,%d:%d,%d,%d,%d,%d", module, port, id, c.Frequency, c.Repeat, c.Offset)
	for _, n := range c.Pulses {
		b = append(b, ',')
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, '\r')
}

// askVersion asks the network module who it is: the one question that every generation answers.
const askVersion = "getversion,0\r"

// kind says what a frame is.
type kind int

const (
	other    kind = iota // a version, anything that was not asked for
	complete             // completeir,1:2,2445: it has been sent
	busy                 // busyIR,1:2,2445: another connection is sending there
	stopped              // stopir,1:2: another connection has stopped it
	failed               // ERR_1:2,010 and its like
	notice               // sensornotify, statechange: a sensor speaks up
)

// message is a frame that has been read.
type message struct {
	kind    kind
	address string // module:port, where it says
	id      string
	code    string // of an error, as on the wire
}

// Errors come in three generations: ERR_1:2,010 (iTach), ERR IR001 (Flex, Global Connect) and
// unknowncommand 6 (GC-100; the iTach manual has it with a comma).
var (
	irForm     = regexp.MustCompile(`^(?i:(completeir|busyir|stopir)),([0-9]+:[0-9]+)(?:,([0-9]+))?$`)
	errorForm  = regexp.MustCompile(`^ERR(?:_([0-9]+:[0-9]+),([0-9]+)| ?((?:IR|SL|RO|SI)?[0-9]+))$`)
	oldForm    = regexp.MustCompile(`^unknowncommand[, ]? ?([A-Z0-9_]*)$`)
	noticeForm = regexp.MustCompile(`^(?:sensornotify|statechange),`)
)

// parse reads a frame as cut by split.
func parse(frame []byte) message {
	text := strings.TrimSpace(string(frame))
	if f := irForm.FindStringSubmatch(text); f != nil {
		of := map[string]kind{"completeir": complete, "busyir": busy, "stopir": stopped}
		return message{kind: of[strings.ToLower(f[1])], address: f[2], id: f[3]}
	}
	if f := errorForm.FindStringSubmatch(text); f != nil {
		return message{kind: failed, address: f[1], code: strings.TrimSpace(text)}
	}
	if oldForm.MatchString(text) {
		return message{kind: failed, code: text}
	}
	if noticeForm.MatchString(text) {
		return message{kind: notice}
	}
	return message{}
}

// split cuts what comes into frames, which end with CR.
func split(got []byte) int { return bytes.IndexByte(got, '\r') + 1 }

// rejections are the errors that a fitter can do something about, by generation.
var rejections = map[string]devices.Phrase{
	"ERR 002": {ZH: "红外发射器没有此模块，请检查 module", EN: "The emitter has no such module: check module"},
	"ERR 003": {ZH: "红外发射器没有此端口，请检查 port", EN: "The emitter has no such connector: check port"},
	"ERR 013": {ZH: "该端口被设为输入，请在发射器网页上改为红外", EN: "That connector is set to be an input: make it IR on the emitter's own page"},
	"ERR 014": {ZH: "该端口不能接红外大功率发射头", EN: "That connector takes no blaster"},
	"ERR 019": {ZH: "红外发射失败", EN: "The emitter failed to send"},
	"ERR 020": {ZH: "红外码过长", EN: "The infrared code is too long for the emitter"},
	"old 2":   {ZH: "红外发射器没有此模块，请检查 module", EN: "The emitter has no such module: check module"},
	"old 4":   {ZH: "红外发射器没有此端口，请检查 port", EN: "The emitter has no such connector: check port"},
	"old 6":   {ZH: "该端口被设为输入，请在发射器网页上改为红外", EN: "That connector is set to be an input: make it IR on the emitter's own page"},
	"old 21":  {ZH: "该模块不是红外模块", EN: "That module is not an infrared one"},
}

// rejection turns the emitter's no into an error.
func rejection(m message) error {
	no := &devices.Rejection{Code: m.code, Busy: m.kind == busy}
	switch m.kind {
	case busy:
		no.Code, no.Reason = "busyIR", devices.Phrase{ZH: "红外发射器正被其他控制器占用", EN: "Another controller is using the infrared emitter"}
		return no
	case stopped:
		no.Code, no.Reason = "stopir", devices.Phrase{ZH: "其他控制器中断了红外发射", EN: "Another controller has stopped the infrared emitter"}
		return no
	}
	key := m.code
	if f := errorForm.FindStringSubmatch(m.code); f != nil && f[2] != "" {
		key = fmt.Sprintf("ERR %03s", f[2])
	} else if f := oldForm.FindStringSubmatch(m.code); f != nil {
		key = "old " + f[1]
	}
	reason, ok := rejections[key]
	if !ok {
		reason = devices.Phrase{ZH: "红外发射器拒绝执行", EN: "The infrared emitter refused"}
	}
	no.Reason = reason
	return no
}

// explain says in words what a frame means.
func explain(frame []byte) string {
	switch m := parse(frame); m.kind {
	case complete:
		return "sent at " + m.address
	case busy:
		return "busy at " + m.address
	case stopped:
		return "stopped at " + m.address
	case failed:
		return "error: " + m.code
	case notice:
		return "a sensor"
	}
	return ""
}
