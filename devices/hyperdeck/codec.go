package hyperdeck

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"lectern/devices"
)

// The codes of answers that are waited for. Below 200 is an error; from 500 on the deck speaks by
// itself, and may do so between a command and its answer.
const (
	codeOK         = 200
	codeSlot       = 202
	codeTransport  = 208
	codeGreeting   = 500
	codeSlotNews   = 502
	codeMoved      = 508
	codeRemoteNews = 510
	codeNoDisk     = 105
	codeDevice     = 204
)

// encode makes a command ready for the wire, in the form of one line: "play: speed: 400".
func encode(command string) []byte { return []byte(command + "\r\n") }

// split cuts the stream into answers: one line, or the lines up to and with an empty one where the
// first ends with a colon. Lines end with CR LF; a bare LF is taken as well.
func split(got []byte) int {
	first := bytes.IndexByte(got, '\n')
	if first < 0 {
		return 0
	}
	if !bytes.HasSuffix(bytes.TrimRight(got[:first], "\r"), []byte(":")) {
		return first + 1
	}
	for at := first + 1; ; {
		next := bytes.IndexByte(got[at:], '\n')
		if next < 0 {
			return 0
		}
		if len(bytes.TrimRight(got[at:at+next], "\r")) == 0 {
			return at + next + 1
		}
		at += next + 1
	}
}

// response is one answer of the deck, or something that it says by itself.
type response struct {
	code   int
	text   string            // "transport info"
	values map[string]string // "status": "stopped"
}

// parse reads what split has cut.
func parse(frame []byte) (response, error) {
	lines := strings.Split(strings.ReplaceAll(string(frame), "\r", ""), "\n")
	r := response{code: codeOf(frame), values: make(map[string]string)}
	if r.code == 0 {
		return response{}, fmt.Errorf("not an answer of a HyperDeck: %q", clip(lines[0]))
	}
	_, text, _ := strings.Cut(lines[0], " ")
	r.text = strings.TrimSuffix(text, ":")
	for _, l := range lines[1:] {
		if key, value, ok := strings.Cut(l, ":"); ok {
			r.values[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	return r, nil
}

// codeOf reads the three digits that everything begins with; 0 where something else does.
func codeOf(frame []byte) int {
	if len(frame) < 4 || frame[3] != ' ' {
		return 0
	}
	code, err := strconv.Atoi(string(frame[:3]))
	if err != nil || code < 100 {
		return 0
	}
	return code
}

// answers reports whether a frame is the answer with the wanted code, or an error in its place.
func answers(frame []byte, want int) bool {
	code := codeOf(frame)
	return code == want || code >= 100 && code < 200
}

// transportOf reads the status and speed of a transport info.
func transportOf(status, speed string) (devices.Transport, bool) {
	percent, err := strconv.Atoi(speed)
	if err != nil {
		percent = 0
	}
	switch status {
	case "record":
		return devices.TransportRecord, true
	case "preview", "stopped": // preview shows the input, and nothing runs
		return devices.TransportStop, true
	case "forward":
		return devices.TransportForward, true
	case "rewind":
		return devices.TransportBack, true
	case "play", "jog", "shuttle":
		switch {
		case percent < 0:
			return devices.TransportBack, true
		case percent == 0:
			return devices.TransportPause, true
		case percent > 100 || status == "shuttle":
			return devices.TransportForward, true
		}
		return devices.TransportPlay, true
	}
	return "", false
}

// hasMedia reads the status of a slot. A disk that is just being mounted is there.
func hasMedia(status string) bool { return status != "empty" && status != "error" }

// reasons are the error codes of the manual in words for people.
var reasons = map[int]devices.Phrase{
	100: {ZH: "录像机不认识此命令", EN: "The recorder does not know the command"},
	101: {ZH: "录像机不支持此参数", EN: "The recorder does not know the parameter"},
	102: {ZH: "录像机不接受此数值", EN: "The recorder does not take the value"},
	103: {ZH: "录像机不支持此操作", EN: "The recorder cannot do this"},
	104: {ZH: "磁盘已满，请更换磁盘", EN: "The disk is full: put in another"},
	105: {ZH: "录像机里没有磁盘", EN: "There is no disk in the recorder"},
	106: {ZH: "磁盘错误，请更换磁盘", EN: "The disk has an error: put in another"},
	107: {ZH: "没有可播放的片段", EN: "There is nothing to play"},
	108: {ZH: "录像机内部错误", EN: "The recorder has an internal error"},
	109: {ZH: "没有更多片段", EN: "There is no further clip"},
	110: {ZH: "没有输入信号，无法录制", EN: "There is no input signal to record"},
	111: {ZH: "录像机未开启远程控制，请在其面板上按下REM键", EN: "Remote control is disabled on the recorder: press its REM button"},
	120: {ZH: "录像机拒绝连接，可能已被其他控制器占用", EN: "The recorder refuses the connection: another controller may have it"},
	121: {ZH: "录像机登录失败", EN: "The recorder does not accept the login"},
	122: {ZH: "录像机要求登录，请在其网络设置中关闭", EN: "The recorder asks for a login: turn that off in its network settings"},
	150: {ZH: "录像机当前状态下不能执行，请先停止", EN: "The recorder cannot do this in its present state: press stop first"},
	151: {ZH: "编码格式不支持", EN: "The recorder cannot do this with its codec"},
	160: {ZH: "磁盘格式不支持", EN: "The disk has a format that the recorder cannot use"},
	161: {ZH: "录像机不接受格式化确认", EN: "The recorder does not accept the confirmation to format"},
	162: {ZH: "录像机未准备格式化", EN: "The recorder is not prepared to format"},
}

// rejection turns an error of the deck into an error.
func rejection(r response) *devices.Rejection {
	reason, ok := reasons[r.code]
	if !ok {
		reason = devices.Phrase{ZH: "录像机拒绝执行", EN: "The recorder refuses: " + clip(r.text)}
	}
	return &devices.Rejection{Code: strconv.Itoa(r.code), Reason: reason, Busy: r.code == 150}
}

// clip shortens what came from the wire before it is shown.
func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}

// explain says in words what a frame means.
func explain(frame []byte) string {
	r, err := parse(frame)
	if err != nil {
		return err.Error()
	}
	words := r.text
	for _, key := range []string{"model", "status", "speed", "enabled"} {
		if v, ok := r.values[key]; ok {
			words += ", " + key + " " + clip(v)
		}
	}
	if r.code > codeGreeting {
		words = "says by itself: " + words
	}
	return words
}

// model reads which deck answers.
func model(frame []byte) string {
	r, err := parse(frame)
	if err != nil {
		return explain(frame)
	}
	return fmt.Sprintf("%s, protocol %s", r.values["model"], r.values["protocol version"])
}
