package notify

import (
	"fmt"
	"strings"
	"time"

	"lectern/devices"
)

// words is what mail says, in the terms of the service instruction. {} stands for what is put in. Nothing
// changes it.
var words = map[string]devices.Phrase{
	OrderOpened:   {ZH: "新维修单", EN: "Repair order opened"},
	OrderAnswered: {ZH: "维修单已响应", EN: "Repair order answered"},
	OrderClosed:   {ZH: "维修单已确认", EN: "Repair order closed"},
	Down:          {ZH: "离线或故障", EN: "Down"},
	Well:          {ZH: "恢复正常", EN: "Well again"},
	"and":         {ZH: "{}等{}项", EN: "{} and {} more"},
	"line":        {ZH: "线路{}", EN: "Line {}"},
	"room":        {ZH: "会议室", EN: "The room"},
	"since":       {ZH: "自{}", EN: "since {}"},
	"symptom":     {ZH: "故障现象：{}", EN: "Symptom: {}"},
	"by":          {ZH: "经办人：{}", EN: "By: {}"},
	"to":          {ZH: "维修人：{}", EN: "Engineer: {}"},
	"devices":     {ZH: "其上设备：{}", EN: "With it: {}"},
	"comma":       {ZH: "、", EN: ", "},
	"why":         {ZH: "供工程人员：{}", EN: "For engineering: {}"},
	"more":        {ZH: "另有{}项，见设备页面", EN: "{} more; see the staff pages"},
	"lost":        {ZH: "此前有{}封通知未能发出", EN: "Messages before this one that could not be sent: {}"},
	"foot":        {ZH: "此邮件由会议室控制器自动发出。", EN: "This mail was sent by the room's controller."},
}

func say(language, key string, put ...any) string {
	text := words[key].In(language)
	for _, v := range put {
		text = strings.Replace(text, "{}", fmt.Sprint(v), 1)
	}
	return text
}

// about names what an event is about.
func about(e Event, language string) string {
	switch {
	case e.Line != "":
		return say(language, "line", e.Line)
	case e.Device == "":
		return say(language, "room")
	case e.Name == (devices.Phrase{}):
		return e.Device
	}
	return e.Name.In(language)
}

// subject says in one line what a message is about.
func subject(m Message, language string) string {
	first := m.Events[0]
	text := say(language, first.Kind) + " " + about(first, language)
	if first.Order != "" {
		text = say(language, first.Kind) + " " + first.Order + " " + about(first, language)
	}
	if n := len(m.Events) + m.More - 1; n > 0 {
		put := n
		if language == "zh" {
			put++ // 等 counts them all
		}
		text = say(language, "and", text, put)
	}
	return strings.Join(strings.Fields("["+m.Name.In(language)+"] "+text), " ")
}

// body says everything that a message has.
func body(m Message, language string, zone *time.Location) string {
	var out strings.Builder
	at := func(t time.Time) string { return t.In(zone).Format("2006-01-02 15:04") }
	for _, e := range m.Events {
		switch when := at(e.Time); {
		case e.Order != "":
			fmt.Fprintf(&out, "%s %s · %s · %s\n", say(language, e.Kind), e.Order, about(e, language), when)
		case e.Kind == Down:
			fmt.Fprintf(&out, "%s · %s · %s\n", say(language, e.Kind), about(e, language), say(language, "since", when))
		default:
			fmt.Fprintf(&out, "%s · %s · %s\n", say(language, e.Kind), about(e, language), when)
		}
		names := make([]string, len(e.Devices))
		for i, id := range e.Devices {
			if names[i] = e.names[i].In(language); names[i] == "" {
				names[i] = id
			}
		}
		for _, line := range []struct{ key, text string }{
			{"symptom", e.Symptom}, {"by", e.By}, {"to", e.To},
			{"devices", strings.Join(names, say(language, "comma"))}, {"why", e.Why},
		} {
			if line.text != "" {
				fmt.Fprintf(&out, "  %s\n", say(language, line.key, strings.ReplaceAll(line.text, "\n", "\n    ")))
			}
		}
		out.WriteString("\n")
	}
	if m.More > 0 {
		out.WriteString(say(language, "more", m.More) + "\n")
	}
	if m.Lost > 0 {
		out.WriteString(say(language, "lost", m.Lost) + "\n")
	}
	out.WriteString(m.Name.In(language) + "\n" + say(language, "foot") + "\n")
	return strings.ReplaceAll(out.String(), "\n", "\r\n")
}
