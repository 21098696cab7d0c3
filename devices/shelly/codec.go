package shelly

import (
	"encoding/json"
	"fmt"
	"maps"

	"lectern/devices"
	"lectern/devices/line"
	"lectern/devices/mqtt"
)

// request is a frame that goes out.
type request struct {
	ID     uint16         `json:"id"`
	Src    string         `json:"src"`
	Method string         `json:"method"`
	Params map[string]any `json:"params"`
}

// encode writes a request to a component.
func encode(number uint16, source, method string, component int, params map[string]any) (string, error) {
	with := map[string]any{"id": component}
	maps.Copy(with, params)
	b, err := json.Marshal(request{number, source, method, with})
	if err != nil {
		return "", fmt.Errorf("shelly %s: %w", method, err)
	}
	return string(b), nil
}

// response is a frame that answers one.
type response struct {
	ID     *uint16         `json:"id"`
	Dst    string          `json:"dst"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// notification tells what has changed.
type notification struct {
	Method string                     `json:"method"`
	Params map[string]json.RawMessage `json:"params"`
}

// codec reads what one device says to one caller.
type codec struct {
	prefix, source string
	component      string // switch:0
}

func (c codec) topics() []string {
	return []string{c.source + "/rpc", c.prefix + "/events/rpc", c.prefix + "/online"}
}

// read says what a message tells.
func (c codec) read(m line.Message) []mqtt.News {
	switch m.Topic {
	case c.prefix + "/online":
		return mqtt.Available(mqtt.Online, m.Payload)
	case c.source + "/rpc":
		var r response
		if m.Retained || json.Unmarshal(m.Payload, &r) != nil || r.ID == nil || r.Dst != c.source {
			return nil
		}
		return []mqtt.News{answer(r)}
	case c.prefix + "/events/rpc":
		var n notification
		if m.Retained || json.Unmarshal(m.Payload, &n) != nil || n.Method != "NotifyStatus" && n.Method != "NotifyFullStatus" {
			return nil
		}
		if changed, ok := n.Params[c.component]; ok {
			return []mqtt.News{{Key: c.component, Value: string(changed)}}
		}
	}
	return nil
}

func answer(r response) mqtt.News {
	news := mqtt.News{Key: mqtt.Answer(*r.ID), Value: string(r.Result)}
	if r.Error != nil {
		news.Err = rejection(r.Error.Code, r.Error.Message)
	} else if len(r.Result) == 0 || string(r.Result) == "null" {
		news.Value = "{}" // Open, Close and Stop have nothing to say
	}
	return news
}

// rejection puts an error of the RPC protocol into words. The codes are those of the documentation's section
// "Common errors".
func rejection(code int, message string) error {
	reason := devices.Phrase{ZH: "设备拒绝了命令：" + message, EN: "The device refused the command: " + message}
	switch code {
	case -103:
		reason = devices.Phrase{ZH: "设备不接受此参数，请核对 id", EN: "The device does not take this value; check id in the room file"}
	case -105:
		reason = devices.Phrase{ZH: "设备上没有此组件，请核对 id", EN: "The device has no such component; check id in the room file"}
	case -109:
		reason = devices.Phrase{ZH: "设备现在不能执行：" + message, EN: "The device cannot do this now: " + message}
	case -114:
		reason = devices.Phrase{ZH: "设备不支持此命令，请核对型号", EN: "The device does not know this command; check its model and firmware"}
	case 404:
		reason = devices.Phrase{ZH: "设备上没有此功能，请核对型号", EN: "The device has no such function; check its model and firmware"}
	}
	return &devices.Rejection{Code: fmt.Sprint(code), Reason: reason, Busy: code == -109}
}

// whereabouts reads the status of a cover.
func whereabouts(status any) (devices.Whereabouts, error) {
	state, _ := mqtt.Field(status, "state")
	w := devices.Whereabouts{Motion: devices.Stop}
	switch state {
	case "opening":
		w.Motion = devices.Up
	case "closing":
		w.Motion = devices.Down
	case "open", "closed", "stopped":
	case "calibrating":
		return w, &devices.Rejection{Code: state, Busy: true, Reason: devices.Phrase{
			ZH: "电机正在校准，请稍候", EN: "The motor is being calibrated; wait until it has finished",
		}}
	default:
		return w, fmt.Errorf("a cover says that it is %.40q", state)
	}
	position, ok := mqtt.Field(status, "current_pos")
	if !ok {
		return w, nil // not calibrated
	}
	percent, err := mqtt.Percent(position)
	if err != nil {
		return w, fmt.Errorf("current_pos: %w", err)
	}
	w.Percent, w.Known = percent, true
	return w, nil
}
