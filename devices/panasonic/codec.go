package panasonic

import (
	"errors"
	"strings"

	"lectern/devices"
)

// errPassword says what ERRA means.
var errPassword = errors.New("the projector refused the name or the password: check with.user and with.password of the device")

// accepts tells the reply to a command from a late one to another, as far as their forms differ.
func accepts(text, command string) bool {
	if refusal(text) != nil {
		return true
	}
	name, _, _ := strings.Cut(command, ":")
	value := valueOf(text, name)
	switch name {
	case "Q$S":
		return len(value) == 1 && value >= "0" && value <= "3"
	case "QPW":
		return value == "000" || value == "001"
	case "QIN":
		return isInput(value) && len(value) > 2 && !isNumber(value) && value != "PON" && value != "POF" && !strings.HasPrefix(value, "IIS:")
	case "Q$L", "QST":
		return isNumber(value) && len(value) >= 4
	}
	return text == command || text == name
}

// valueOf is the value of a query. Most projectors tell it alone, some with the command before it.
func valueOf(text, name string) string { return strings.TrimPrefix(text, name+":") }

func isNumber(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}

// decode reads a reply that is accepted.
func decode(text, command string) (value string, err error) {
	if err := refusal(text); err != nil {
		return "", err
	}
	if name, _, _ := strings.Cut(command, ":"); isQuery(name) {
		return valueOf(text, name), nil
	}
	return "", nil
}

func isQuery(name string) bool { return strings.HasPrefix(name, "Q") }

// refusal puts an error reply into words: ER401 and ER402 of the serial port, ERR1 to ERRA of the
// network. It is nil where a reply is none.
func refusal(text string) error {
	r := &devices.Rejection{Code: text}
	switch text {
	case "ER401":
		r.Busy = true
		r.Reason = devices.Phrase{ZH: "投影机现在不执行此命令，或没有此命令", EN: "The projector does not do this now, or does not know it"}
	case "ER402", "ERR2":
		r.Reason = devices.Phrase{ZH: "投影机没有此信号源或参数", EN: "The projector has no such input or value"}
	case "ERR1":
		r.Reason = devices.Phrase{ZH: "投影机不支持此命令", EN: "The projector does not know this command"}
	case "ERR3":
		r.Busy = true
		r.Reason = devices.Phrase{ZH: "投影机忙，或现在不接受此命令(待机、预热或冷却中)", EN: "The projector is busy or does not take this now: it is off, warming up or cooling down"}
	case "ERR4":
		r.Busy = true
		r.Reason = devices.Phrase{ZH: "投影机内部超时，请重试", EN: "The projector took too long, try again"}
	case "ERR5":
		r.Reason = devices.Phrase{ZH: "投影机收到的命令长度错误", EN: "The projector found the command of a wrong length"}
	case "ERRA":
		return errPassword
	default:
		return nil
	}
	return r
}

// explain says in words what a reply means.
func explain(text, command string) string {
	if err := refusal(text); err != nil {
		return err.Error()
	}
	switch command {
	case "Q$S":
		return map[string]string{"0": "the lamp is in standby", "1": "the lamp is being lit", "2": "the lamp is lit", "3": "the lamp is being put out"}[valueOf(text, "Q$S")]
	case "QPW":
		return map[string]string{"000": "power is off", "001": "power is on"}[valueOf(text, "QPW")]
	}
	return text
}
