package sis

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"lectern/devices"
)

// layer is which signal of an input a tie carries.
type layer string

const (
	layerAll   layer = "all"
	layerVideo layer = "video"
	layerAudio layer = "audio"
)

// tieCommand is the character that ties or reads the layer. There is no way to read "all": the
// manuals have "read video output tie" and "read audio output tie" only, and a room that ties both
// together may ask for either.
func (l layer) tieCommand() string {
	return map[layer]string{layerAll: "!", layerVideo: "%", layerAudio: "$"}[l]
}

func (l layer) readCommand() string {
	if l == layerAudio {
		return "$"
	}
	return "%"
}

// carries reports whether a tie that is reported with the word is one of the layer. RGB is the video
// of matrices that have both; "& and % can be used interchangeably" (XTP CrossPoint, create ties).
func (l layer) carries(word string) bool {
	switch word {
	case "All", "":
		return true
	case "Aud":
		return l != layerVideo
	}
	return l != layerAudio // Vid, RGB
}

// The commands. Simple ones need no end; those that begin with ESC end with CR.
func tie(l layer, output, input int) string {
	return fmt.Sprintf("%d*%d%s", input, output, l.tieCommand())
}
func readTie(l layer, output int) string { return fmt.Sprintf("%d%s", output, l.readCommand()) }
func choose(l layer, input int) string   { return fmt.Sprintf("%d%s", input, l.tieCommand()) }
func readChoice(l layer) string          { return l.tieCommand() }
func setVolume(percent int) string       { return fmt.Sprintf("%dV", percent) }
func setMute(on bool) string             { return fmt.Sprintf("%dZ", digit(on)) }
func setGroup(group, value int) string   { return fmt.Sprintf("\x1bD%d*%dGRPM\r", group, value) }
func readGroup(group int) string         { return fmt.Sprintf("\x1bD%dGRPM\r", group) }
func setVerbose(mode int) string         { return fmt.Sprintf("\x1b%dCV\r", mode) }
func setRecorder(state int) string       { return fmt.Sprintf("\x1bY%dRCDR\r", state) }

const (
	readVolume   = "V"
	readMute     = "Z"
	readRecorder = "\x1bYRCDR\r"
)

func digit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// kind says what a frame is.
type kind int

const (
	other    kind = iota // blank, date, anything that does not matter
	tied                 // Out3 In1 All; In2 All
	volume               // Vol55
	muted                // Amt1
	group                // GrpmD01*-00250
	recorder             // RcdrY1
	verbose              // Vrb3
	number               // 55: the untagged answer to a read
	failed               // E13
	changed              // Qik, Rpr03: something was switched, it does not say what
	banner               // © Copyright 2012, Extron Electronics, ...
	login                // Login Administrator
	password             // Password:
)

// message is a frame that has been read.
type message struct {
	kind  kind
	to    int    // output of a tie, -1 where none is named; number of a group
	value int    // input, volume, fader, mode, number
	word  string // layer of a tie; code of an error
}

// Numbers may come with leading zeros, as the model pleases: Out3, Out03.
var (
	tiedForm   = regexp.MustCompile(`^(?:Out([0-9]{1,3}) )?In([0-9]{1,3})(?: (All|RGB|Vid|Aud))?$`)
	valueForm  = regexp.MustCompile(`^(Vol|Amt|Vrb)([0-9]{1,3})$`)
	rcdrForm   = regexp.MustCompile(`^RcdrY([0-9])$`)
	groupForm  = regexp.MustCompile(`^GrpmD([0-9]{1,2})\*([+-]?[0-9]{1,5})$`)
	numberForm = regexp.MustCompile(`^[+-]?[0-9]{1,5}$`)
	errorForm  = regexp.MustCompile(`^E[0-9]{2}$`)
	presetForm = regexp.MustCompile(`^(Qik|Rpr[0-9]+)$`)
)

// parse reads a frame as cut by split.
func parse(frame []byte) message {
	text := strings.TrimSpace(string(frame))
	if f := tiedForm.FindStringSubmatch(text); f != nil {
		m := message{kind: tied, to: -1, value: atoi(f[2]), word: f[3]}
		if f[1] != "" {
			m.to = atoi(f[1])
		}
		return m
	}
	if f := valueForm.FindStringSubmatch(text); f != nil {
		return message{kind: map[string]kind{"Vol": volume, "Amt": muted, "Vrb": verbose}[f[1]], value: atoi(f[2])}
	}
	if f := groupForm.FindStringSubmatch(text); f != nil {
		return message{kind: group, to: atoi(f[1]), value: atoi(f[2])}
	}
	if f := rcdrForm.FindStringSubmatch(text); f != nil {
		return message{kind: recorder, value: atoi(f[1])}
	}
	switch {
	case numberForm.MatchString(text):
		return message{kind: number, value: atoi(text)}
	case errorForm.MatchString(text):
		return message{kind: failed, word: text}
	case presetForm.MatchString(text):
		return message{kind: changed}
	case strings.Contains(text, "Copyright") && strings.Contains(text, "Extron"):
		return message{kind: banner}
	case strings.HasPrefix(text, "Login "):
		return message{kind: login}
	case strings.HasSuffix(text, prompt):
		return message{kind: password}
	}
	return message{}
}

// atoi reads digits that a form has matched.
func atoi(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

// prompt is the one thing that equipment says without ending the line.
const prompt = "Password:"

// split cuts what comes into lines, and the prompt off as one of its own.
func split(got []byte) int {
	end := bytes.IndexByte(got, '\n') + 1
	if at := bytes.Index(got, []byte(prompt)); at >= 0 && (end == 0 || at < end) {
		return at + len(prompt)
	}
	return end
}

// rejections are the error responses of the matrix, switcher and DSP manuals.
var rejections = map[string]devices.Phrase{
	"E01": {ZH: "输入编号不存在", EN: "There is no such input"},
	"E06": {ZH: "当前不能切换输入", EN: "The input cannot be changed now"},
	"E10": {ZH: "设备不认识此命令", EN: "The equipment does not know the command"},
	"E11": {ZH: "预设编号不存在", EN: "There is no such preset"},
	"E12": {ZH: "输出编号不存在", EN: "There is no such output"},
	"E13": {ZH: "数值超出范围", EN: "The value is out of range"},
	"E14": {ZH: "设备的当前配置不支持此操作", EN: "The equipment is not set up for this"},
	"E17": {ZH: "设备内部超时", EN: "The equipment timed out"},
	"E22": {ZH: "设备忙，请稍后再试", EN: "The equipment is busy, try again"},
	"E24": {ZH: "登录权限不足", EN: "The login does not allow this"},
	"E25": {ZH: "所需部件未安装", EN: "A part that this needs is not there"},
	"E26": {ZH: "设备的连接数已满", EN: "The equipment has too many connections"},
}

// rejection turns an error response into an error.
func rejection(code string) error {
	reason, ok := rejections[code]
	if !ok {
		reason = devices.Phrase{ZH: "设备拒绝执行", EN: "The equipment refused"}
	}
	return &devices.Rejection{Code: code, Reason: reason, Busy: code == "E22"}
}

// explain says in words what a frame means.
func explain(frame []byte) string {
	switch m := parse(frame); m.kind {
	case tied:
		if m.to < 0 {
			return fmt.Sprintf("input %d is chosen %s", m.value, m.word)
		}
		return fmt.Sprintf("output %d shows input %d %s", m.to, m.value, m.word)
	case volume:
		return fmt.Sprintf("volume %d", m.value)
	case muted:
		return fmt.Sprintf("mute %d", m.value)
	case group:
		return fmt.Sprintf("group %d is at %d", m.to, m.value)
	case recorder:
		return fmt.Sprintf("recorder %d", m.value)
	case verbose:
		return fmt.Sprintf("verbose mode %d", m.value)
	case number:
		return fmt.Sprintf("untagged answer %d", m.value)
	case failed:
		return "error: " + rejections[m.word].In("en")
	case changed:
		return "something was switched"
	case banner, login:
		return "greeting"
	case password:
		return "asks for the password"
	}
	return ""
}
