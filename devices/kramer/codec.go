package kramer

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"lectern/devices"
)

// layer is which signal of an input a tie carries.
type layer string

const (
	layerAll   layer = "all" // video with its audio
	layerVideo layer = "video"
	layerAudio layer = "audio"
	layerUSB   layer = "usb"
)

// number is the layer in a ROUTE command (VS-62HA, layer enumeration); 12 ties video and audio.
func (l layer) number() int {
	return map[layer]int{layerAll: 12, layerVideo: 1, layerAudio: 2, layerUSB: 3}[l]
}

// word is the layer's command on models without ROUTE.
func (l layer) word() string {
	return map[layer]string{layerAll: "AV", layerVideo: "VID", layerAudio: "AUD"}[l]
}

// asked is the layer that is read. Nothing in the tables reads "all"; a room that ties both together
// may ask for the video.
func (l layer) asked() layer {
	if l == layerAll {
		return layerVideo
	}
	return l
}

// carries reports whether a tie that is reported for a layer is one of this.
func (l layer) carries(told layer) bool {
	switch l {
	case layerUSB:
		return told == layerUSB
	case layerAudio:
		return told == layerAudio || told == layerAll
	}
	return told == layerVideo || told == layerAll
}

// The commands, without their prefix and end.
func route(l layer, output int, input string) string {
	return fmt.Sprintf("ROUTE %d,%d,%s", l.number(), output, input)
}
func readRoute(l layer, output int) string {
	return fmt.Sprintf("ROUTE? %d,%d", l.asked().number(), output)
}
func tieTo(l layer, output, input int) string {
	return fmt.Sprintf("%s %d>%d", l.word(), input, output)
}
func readTie(l layer, output int) string { return fmt.Sprintf("%s? %d", l.asked().word(), output) }
func setLevel(stage string, channel, level int) string {
	return fmt.Sprintf("AUD-LVL %s,%d,%d", stage, channel, level)
}
func readLevel(stage string, channel int) string {
	return fmt.Sprintf("AUD-LVL? %s,%d", stage, channel)
}
func setMute(channel int, on bool) string {
	return fmt.Sprintf("MUTE %d,%d", channel, map[bool]int{true: 1}[on])
}
func readMute(channel int) string { return fmt.Sprintf("MUTE? %d", channel) }

// encode makes the bytes of a command. Machine 0 leaves the number out: whoever hears it answers.
func encode(machine int, command string) []byte {
	if machine == 0 {
		return []byte("#" + command + "\r")
	}
	return fmt.Appendf(nil, "#%02d@%s\r", machine, command)
}

// kind says what a frame is.
type kind int

const (
	other   kind = iota // blank, anything that does not matter
	tied                // ~01@ROUTE 1,3,2 and ~01@VID 2>3
	volume              // ~01@AUD-LVL 1,1,-20
	muted               // ~01@MUTE 1,1
	failed              // ~01@ROUTE ERR003
	changed             // ~01@PRST-RCL 3 OK: something was switched, it does not say what
	banner              // Kramer Electronics LTD., Device Model ...: it has been off
)

// tie is one input on one output.
type tie struct {
	layer  layer
	output int // everyOutput for all of them
	input  int // 0 for none
}

const (
	everyOutput = -1
	noMachine   = -1 // a frame that does not say who speaks, as old firmware does not
)

// message is a frame that has been read.
type message struct {
	kind    kind
	machine int
	command string // the word that it answers, without its question mark; of an error perhaps ""
	ties    []tie
	stage   string // of a volume: in or out
	channel int    // of a volume or a mute
	value   int    // level; 1 where muted
	code    string // of an error, three digits
}

// Commas may be followed by a space, as the manuals print them.
var (
	headForm  = regexp.MustCompile(`^~(?:([0-9]{1,2})@)?[ ]*(.*)$`)
	errorForm = regexp.MustCompile(`(?:^|[ ])ERR[ ]*([0-9]{3})$`)
	routeForm = regexp.MustCompile(`^([0-9]{1,2}), ?(\*|[0-9]{1,3}), ?([0-9]{1,3}|[xX])$`)
	tieForm   = regexp.MustCompile(`^([0-9]{1,3}|[xX])>(\*|[0-9]{1,3})$`)
	levelForm = regexp.MustCompile(`^([0-9]|IN|OUT), ?([0-9]{1,3}), ?([+-]?[0-9]{1,3}(?:\.[0-9]+)?)$`)
	muteForm  = regexp.MustCompile(`^([0-9]{1,3}), ?(0|1|ON|OFF)$`)
)

// parse reads a frame as cut by split.
func parse(frame []byte) message {
	text := strings.TrimSpace(string(frame))
	if strings.HasPrefix(text, "Kramer Electronics") {
		return message{kind: banner, machine: noMachine}
	}
	head := headForm.FindStringSubmatch(text)
	if head == nil {
		return message{machine: noMachine}
	}
	m := message{machine: noMachine}
	if head[1] != "" {
		m.machine = atoi(head[1])
	}
	body := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(head[2]), "OK"))
	command, rest, _ := strings.Cut(body, " ")
	m.command = strings.TrimSuffix(command, "?")
	if e := errorForm.FindStringSubmatch(body); e != nil {
		m.kind, m.code = failed, e[1]
		if strings.HasPrefix(m.command, "ERR") {
			m.command = ""
		}
		return m
	}
	m.take(strings.TrimSpace(rest))
	return m
}

// take reads what follows the word of an answer.
func (m *message) take(rest string) {
	switch m.command {
	case "ROUTE":
		f := routeForm.FindStringSubmatch(rest)
		if f == nil {
			return
		}
		told, ok := map[string]layer{"1": layerVideo, "2": layerAudio, "3": layerUSB, "12": layerAll}[f[1]]
		if ok {
			m.kind, m.ties = tied, []tie{{told, port(f[2]), port(f[3])}}
		}
	case "AV", "VID", "AUD":
		told := map[string]layer{"AV": layerAll, "VID": layerVideo, "AUD": layerAudio}[m.command]
		for one := range strings.SplitSeq(rest, ",") {
			f := tieForm.FindStringSubmatch(strings.TrimSpace(one))
			if f == nil {
				m.ties = nil
				return
			}
			m.ties = append(m.ties, tie{told, port(f[2]), port(f[1])})
		}
		m.kind = tied
	case "AUD-LVL":
		if f := levelForm.FindStringSubmatch(rest); f != nil {
			level, _ := strconv.ParseFloat(f[3], 64)
			m.kind, m.stage, m.channel, m.value = volume, stageOf(f[1]), atoi(f[2]), int(math.Round(level))
		}
	case "MUTE":
		if f := muteForm.FindStringSubmatch(rest); f != nil {
			m.kind, m.channel = muted, atoi(f[1])
			if f[2] == "1" || f[2] == "ON" {
				m.value = 1
			}
		}
	case "PRST-RCL":
		m.kind = changed
	}
}

// stageOf is one word for what models call 1 or OUT, 0 or IN.
func stageOf(word string) string {
	switch word {
	case "0":
		return "IN"
	case "1":
		return "OUT"
	}
	return word
}

// port reads a port that a form has matched. X stands for a disconnected output (VS-62HA, ROUTE).
func port(text string) int {
	switch text {
	case "*":
		return everyOutput
	case "x", "X":
		return 0
	}
	return atoi(text)
}

// atoi reads digits that a form has matched.
func atoi(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

// switches reports whether a command is one of those that tie. Models answer one with another: the
// VS-42 acknowledges ROUTE with VID.
func switches(command string) bool {
	return command == "ROUTE" || command == "AV" || command == "VID" || command == "AUD"
}

// split cuts what comes into lines; answers end with CR LF.
func split(got []byte) int { return bytes.IndexByte(got, '\n') + 1 }

// rejections are the result codes of Protocol 3000.
var rejections = map[string]devices.Phrase{
	"001": {ZH: "设备不理解此命令", EN: "The equipment does not understand the command"},
	"002": {ZH: "该型号不支持此命令", EN: "This model does not have the command"},
	"003": {ZH: "编号或数值超出范围", EN: "There is no such input or output, or the value is out of range"},
	"004": {ZH: "设备要求登录，请在设备上取消密码保护", EN: "The equipment asks for a login: switch its protection off"},
	"005": {ZH: "设备内部错误", EN: "The equipment has an internal fault"},
	"006": {ZH: "设备忙，请稍后再试", EN: "The equipment is busy, try again"},
	"008": {ZH: "设备内部超时", EN: "The equipment timed out"},
}

// rejection turns an error reply into an error.
func rejection(code string) error {
	reason, ok := rejections[code]
	if !ok {
		reason = devices.Phrase{ZH: "设备拒绝执行", EN: "The equipment refused"}
	}
	return &devices.Rejection{Code: "ERR" + code, Reason: reason, Busy: code == "006"}
}

// explain says in words what a frame means.
func explain(frame []byte) string {
	switch m := parse(frame); m.kind {
	case tied:
		words := make([]string, len(m.ties))
		for i, t := range m.ties {
			output := strconv.Itoa(t.output)
			if t.output == everyOutput {
				output = "*"
			}
			words[i] = fmt.Sprintf("output %s shows input %d %s", output, t.input, t.layer)
		}
		return strings.Join(words, ", ")
	case volume:
		return fmt.Sprintf("level %d of %s %d", m.value, m.stage, m.channel)
	case muted:
		return fmt.Sprintf("mute %d of output %d", m.value, m.channel)
	case failed:
		return "error: " + rejections[m.code].In("en")
	case changed:
		return "a preset was recalled"
	case banner:
		return "it has started"
	}
	return ""
}
