package sony

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"lectern/devices"
)

// splitLines cuts the stream of ADCP at line feeds; each line ends with CR and LF.
func splitLines(got []byte) int { return bytes.IndexByte(got, '\n') + 1 }

func trim(line []byte) string { return strings.TrimSpace(string(line)) }

// isDone reports whether a line says that a command was carried out. The manual has ok in small
// letters; some firmware answers the digest with OK.
func isDone(text string) bool { return strings.EqualFold(text, "ok") }

func isRefusal(text string) bool { return strings.HasPrefix(text, "err_") }

// isValue reports whether a line has the form of a value: JSON, but no word without quotes.
func isValue(text string) bool {
	return text != "" && strings.IndexByte(`"[{-0123456789`, text[0]) >= 0 && json.Valid([]byte(text))
}

// digest answers the greeting of a projector with a password.
func digest(random, password string, spaced bool) string {
	if spaced {
		random += " "
	}
	sum := sha256.Sum256([]byte(random + password))
	return hex.EncodeToString(sum[:])
}

// textRejection puts an error line into words.
func textRejection(text string) *devices.Rejection {
	r := &devices.Rejection{Code: clip(text)}
	switch text {
	case "err_inactive":
		r.Busy = true
		r.Reason = devices.Phrase{ZH: "投影机现在不接受此命令(待机、预热或冷却中)", EN: "The projector does not take this now: it is off, warming up or cooling down"}
	case "err_internal1", "err_internal2":
		r.Busy = true
		r.Reason = devices.Phrase{ZH: "投影机内部错误，请重试", EN: "An error inside the projector; try again"}
	case "err_cmd", "err_option":
		r.Reason = devices.Phrase{ZH: "投影机不支持此命令", EN: "The projector does not know this command"}
	case "err_val":
		r.Reason = devices.Phrase{ZH: "投影机没有此信号源或参数", EN: "The projector has no such input or value"}
	case "err_auth":
		r.Reason = devices.Phrase{ZH: "投影机要求密码，请检查配置", EN: "The projector wants a password: check with.password of the device"}
	default:
		r.Reason = devices.Phrase{ZH: "投影机拒绝了此命令", EN: "The projector refused the command"}
	}
	return r
}

// word reads a value in quotes.
func word(text string) (string, error) {
	var s string
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return "", fmt.Errorf("%q is no word in quotes", clip(text))
	}
	return s, nil
}

// textPower reads the answer to power_status.
func textPower(status string) (devices.Power, error) {
	switch status {
	case "standby", "saving_standby":
		return devices.PowerOff, nil
	case "startup":
		return devices.PowerWarming, nil
	case "on":
		return devices.PowerOn, nil
	case "cooling1", "cooling2", "saving_cooling1", "saving_cooling2":
		return devices.PowerCooling, nil
	case "update": // of its firmware: neither on nor off
		return devices.PowerUnknown, nil
	}
	return devices.PowerUnknown, fmt.Errorf("unknown power status %q", clip(status))
}

// hoursOf reads the answer to timer: a number, or a list of timers of which that of the light source
// counts.
func hoursOf(text string) (int, error) {
	var plain int
	if json.Unmarshal([]byte(text), &plain) == nil && plain >= 0 {
		return plain, nil
	}
	var timers []map[string]int
	if err := json.Unmarshal([]byte(text), &timers); err != nil {
		return 0, fmt.Errorf("%q is no timer", clip(text))
	}
	for _, name := range []string{"light_src", "lamp", "operation"} {
		for _, t := range timers {
			if hours, ok := t[name]; ok && hours >= 0 {
				return hours, nil
			}
		}
	}
	return 0, errors.New("there is no timer of the light source")
}

// textFault reads the answer to error: one word, or a list of them.
func textFault(text string) (devices.Fault, error) {
	var words []string
	if err := json.Unmarshal([]byte(text), &words); err != nil {
		one, err := word(text)
		if err != nil {
			return devices.Fault{}, err
		}
		words = []string{one}
	}
	var zh, en, codes []string
	for _, w := range words {
		if w == "no_err" || w == "" {
			continue
		}
		p, ok := faultWords()[w]
		if !ok {
			p = devices.Phrase{ZH: "未知故障", EN: "Unknown fault"}
		}
		zh, en, codes = append(zh, p.ZH), append(en, p.EN), append(codes, w)
	}
	if len(codes) == 0 {
		return devices.Fault{}, nil
	}
	return devices.Fault{Code: strings.Join(codes, " "), Text: devices.Phrase{ZH: strings.Join(zh, "，"), EN: strings.Join(en, ", ")}}, nil
}

func faultWords() map[string]devices.Phrase {
	return map[string]devices.Phrase{
		"err_power":      {ZH: "电源故障", EN: "Power supply"},
		"err_power2":     {ZH: "电源故障", EN: "Power supply"},
		"err_system2":    {ZH: "系统故障", EN: "System"},
		"err_cover":      {ZH: "机盖打开", EN: "Cover open"},
		"err_light_src":  {ZH: "光源故障", EN: "Light source"},
		"err_lens_cover": {ZH: "镜头盖未取下", EN: "The lens cover is on"},
		"err_shock":      {ZH: "受到撞击", EN: "It was knocked"},
		"err_nolens":     {ZH: "没有镜头", EN: "No lens"},
		"err_attitude":   {ZH: "安装角度不正确", EN: "It does not stand or hang as it must"},
		"err_temp":       {ZH: "温度过高", EN: "Too hot"},
		"err_fan":        {ZH: "风扇故障", EN: "Fan"},
		"err_wheel":      {ZH: "色轮故障", EN: "Wheel"},
		"err_light_over": {ZH: "光源过亮", EN: "The light source is too bright"},
		"err_assy":       {ZH: "部件故障", EN: "Assembly"},
		"err_lens_shift": {ZH: "镜头移位故障", EN: "Lens shift"},
		"err_shutter":    {ZH: "快门故障", EN: "Shutter"},
	}
}

// isInput reports whether a text can stand on the wire as the name of an input.
func isInput(code string) bool {
	for _, c := range code {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return code != "" && len(code) <= 24
}

// explainLine says in words what a line means.
func explainLine(line []byte) string {
	text := trim(line)
	switch {
	case isDone(text):
		return "done"
	case text == "NOKEY":
		return "no password is wanted"
	case isRefusal(text):
		return textRejection(text).Error()
	}
	return clip(text)
}

// clip shortens what is shown of an answer.
func clip(text string) string {
	const most = 60
	if len(text) > most {
		return fmt.Sprintf("%.60s…", text)
	}
	return text
}
