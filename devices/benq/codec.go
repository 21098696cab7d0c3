package benq

import (
	"bytes"
	"fmt"
	"strings"

	"lectern/devices"
)

// request is one command: *name=value#, or a question where the value is "?".
type request struct{ name, value string }

const question = "?"

func (r request) asks() bool { return r.value == question }

// String is what stands between the star and the hash.
func (r request) String() string { return r.name + "=" + r.value }

// encode makes a request ready for the wire. The carriage return in front is demanded: it ends
// whatever noise stands in the projector's line.
func (r request) encode() []byte { return []byte("\r*" + r.String() + "#\r") }

// split cuts the stream after every line end, hash and prompt. Answers end in a hash on most models,
// and in a line end alone where a model leaves the star and the hash out of its errors.
func split(got []byte) int { return bytes.IndexAny(got, "\r\n#>") + 1 }

// body is a frame without what may stand around it.
func body(frame []byte) string { return strings.Trim(string(frame), "\r\n\x00 >*#") }

// The three errors, as the projector words them.
const (
	illegal     = "illegal format"
	unsupported = "unsupported item"
	blocked     = "block item"
)

func isError(text string) bool {
	switch strings.ToLower(text) {
	case illegal, unsupported, blocked:
		return true
	}
	return false
}

// listener tells the answer to one request from its echo.
type listener struct {
	request request
	echo    string
	heard   bool // the echo
}

// accepts reports whether a frame is the answer.
func (l *listener) accepts(frame []byte) bool {
	text := body(frame)
	if isError(text) {
		return true
	}
	name, value, ok := strings.Cut(text, "=")
	value = strings.TrimSpace(value) // as decode reads it
	if !ok || !strings.EqualFold(name, l.request.name) || value == question {
		return false // the echo of a question, or something else
	}
	if l.request.asks() {
		return true
	}
	if !strings.EqualFold(value, l.request.value) {
		return false
	}
	// A command and its answer differ in their letters only: *pow=on# and *POW=ON#.
	same := text == l.request.String()
	if same && (l.echo == echoAuto || l.echo == echoYes && !l.heard) {
		l.heard = true
		return false
	}
	return true
}

// decode reads an answer and returns the value in it.
func decode(frame []byte) (string, error) {
	text := body(frame)
	if !isError(text) {
		_, value, _ := strings.Cut(text, "=")
		return strings.TrimSpace(value), nil
	}
	r := &devices.Rejection{Code: text}
	switch strings.ToLower(text) {
	case blocked:
		r.Busy = true
		r.Reason = devices.Phrase{ZH: "投影机现在不接受此命令(待机、预热或冷却中)", EN: "The projector does not take this now: it is off, warming up or cooling down"}
	case unsupported:
		r.Reason = devices.Phrase{ZH: "此型号投影机没有此信号源或功能", EN: "This projector has no such input or function"}
	default:
		r.Reason = devices.Phrase{ZH: "投影机看不懂此命令", EN: "The projector does not understand the command"}
	}
	return "", r
}

// named reports whether a text can stand on the wire as the name of an input. BenQ's are words of
// letters and digits; they are written in lower case here, since that is how they are told from the
// answers, which are in capitals.
func named(code string) bool {
	for _, c := range code {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return code != "" && len(code) <= 16
}

// explain says in words what a frame means.
func explain(frame []byte) string {
	text := body(frame)
	switch {
	case strings.EqualFold(text, blocked):
		return "refused: not in this state"
	case strings.EqualFold(text, unsupported):
		return "refused: not on this model"
	case strings.EqualFold(text, illegal):
		return "refused: not understood"
	case text == "" && bytes.HasSuffix(frame, []byte(">")):
		return "prompt"
	}
	if name, value, ok := strings.Cut(text, "="); ok && strings.EqualFold(name, "pow") && value != question {
		return "power is " + strings.ToLower(value)
	}
	return clip(text)
}

// clip shortens what is shown of an answer.
func clip(text string) string {
	const most = 40
	if len(text) > most {
		return fmt.Sprintf("%.40s…", text)
	}
	return text
}
