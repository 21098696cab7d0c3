package mqtt

import (
	"errors"
	"fmt"
	"strings"

	"lectern/configs"
	"lectern/devices"
	"lectern/scenes/room"
)

// names says things in the language that the broker's readers have.
type names struct{ language string } // zh, en or both

func namesOf(cfg *configs.Room, language string) names {
	if language == "" {
		language = cfg.Room.Language
	}
	return names{language}
}

func (n names) in(zh, en string) string {
	switch {
	case n.language == "both" && zh != "" && en != "" && zh != en:
		return zh + " " + en
	case n.language == "zh" && zh != "", en == "":
		return zh
	}
	return en
}

func (n names) of(name configs.Name) string { return n.in(name.ZH, name.EN) }

// words are the names of the properties that equipment has, and of the keys of a player. A property that
// is not here goes by its own name.
var words = map[string]devices.Phrase{
	"online": {ZH: "在线", EN: "Online"}, "power": {ZH: "电源", EN: "Power"}, "state": {ZH: "状态", EN: "State"}, "level": {ZH: "亮度", EN: "Level"}, "input": {ZH: "输入", EN: "Input"},
	"remaining": {ZH: "剩余时间", EN: "Time left"}, "lamp": {ZH: "灯泡时间", EN: "Lamp hours"}, "fault": {ZH: "故障", EN: "Fault"},
	"motion": {ZH: "动作", EN: "Motion"}, "position": {ZH: "高度", EN: "Height"}, "transport": {ZH: "播放状态", EN: "Transport"},
	"volume": {ZH: "音量", EN: "Volume"}, "mute": {ZH: "静音", EN: "Mute"}, "selected": {ZH: "信号选择", EN: "Source"},
	"temperature": {ZH: "温度", EN: "Temperature"}, "humidity": {ZH: "湿度", EN: "Humidity"}, "presence": {ZH: "有人", EN: "Presence"},
	"contact": {ZH: "触点", EN: "Contact"}, "light": {ZH: "照度", EN: "Light"},
	"play": {ZH: "播放", EN: "Play"}, "stop": {ZH: "停止", EN: "Stop"}, "pause": {ZH: "暂停", EN: "Pause"}, "forward": {ZH: "前进", EN: "Forward"},
	"back": {ZH: "后退", EN: "Back"}, "next": {ZH: "下一段", EN: "Next"}, "previous": {ZH: "上一段", EN: "Previous"}, "record": {ZH: "录像", EN: "Record"},
	"eject": {ZH: "出仓", EN: "Eject"},
}

// word is a property or key in the readers' language.
func (n names) word(key string) string {
	w, ok := words[key]
	if !ok {
		return key
	}
	return n.in(w.ZH, w.EN)
}

// takes says in Chinese what Property.Check says in English: what would be right.
func takes(p devices.Property) string {
	switch p.Kind {
	case devices.KindBool:
		return " true 或 false"
	case devices.KindInteger, devices.KindNumber:
		what := map[devices.Kind]string{devices.KindInteger: "整数", devices.KindNumber: "数值"}[p.Kind]
		s := fmt.Sprintf(" %v 到 %v 的%s", p.Min, p.Max, what)
		if p.Step > 1 {
			s += fmt.Sprintf("，步长 %v", p.Step)
		}
		return strings.TrimSuffix(s+"，单位 "+p.Unit, "，单位 ")
	case devices.KindEnum:
		return " " + strings.Join(wordsOf(p, func(o devices.Option) bool { return !o.State }), ", ")
	}
	return "不超过 256 字节的文字"
}

// thereIs says in Chinese what there is, where an error knows.
func thereIs(err error) string {
	if missing := new(room.NotFound); errors.As(err, &missing) {
		return "，有 " + missing.Known
	}
	return ""
}
