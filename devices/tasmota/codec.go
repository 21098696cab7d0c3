package tasmota

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"lectern/devices"
	"lectern/devices/line"
	"lectern/devices/mqtt"
)

// The keys of news, beside POWER1 and its like.
const (
	dimmerKey  = "Dimmer"
	shutterKey = "Shutter" // and its number: a reason to ask
	statusKey  = "status " // and its number
)

// payloadLeast is the shortest JSON object that can say something.
const payloadLeast = len(`{"a":1}`)

// powers are the names of relays, alone and in objects.
var powers = regexp.MustCompile(`^POWER(\d{0,2})$`)

// powerKey is the name of a relay, by which the device is also asked. Relay 1 is POWER1 even where it is the
// only one: devices take both.
func powerKey(relay int) string { return "POWER" + strconv.Itoa(relay) }

// codec reads what one device says.
type codec struct{ place Place }

// topics are the filters in which the device speaks.
func (c codec) topics() []string {
	return []string{c.place.under("stat", "+"), c.place.under("tele", "LWT")}
}

// read says what a message tells.
func (c codec) read(m line.Message) []mqtt.News {
	if m.Topic == c.place.under("tele", "LWT") {
		return mqtt.Available(mqtt.Online, m.Payload)
	}
	what, mine := strings.CutPrefix(m.Topic, c.place.under("stat", ""))
	if !mine || m.Retained || strings.Contains(what, "/") {
		return nil
	}
	if powers.MatchString(what) {
		if news := power(what, string(m.Payload)); news != nil {
			return news
		}
	}
	if len(m.Payload) < payloadLeast {
		return nil
	}
	v, err := mqtt.Decode(m.Payload)
	if err != nil {
		return nil
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	return fields(object)
}

// fields reads the object of an answer.
func fields(object map[string]any) (news []mqtt.News) {
	for name, v := range object {
		switch {
		case powers.MatchString(name):
			word, _ := mqtt.Field(object, name)
			news = append(news, power(name, word)...)
		case name == dimmerKey:
			if word, ok := mqtt.Field(object, name); ok {
				news = append(news, mqtt.News{Key: dimmerKey, Value: word})
			}
		case name == "StatusSTS" || name == "StatusSNS":
			number := map[string]string{"StatusSTS": askState, "StatusSNS": askSensors}[name]
			news = append(news, status(v, number)...)
		case name == "Command":
			if word, _ := mqtt.Field(object, name); word == "Unknown" || word == "Error" {
				news = append(news, mqtt.News{Err: rejection(word)})
			}
		case strings.HasPrefix(name, shutterKey):
			if n, err := strconv.Atoi(strings.TrimPrefix(name, shutterKey)); err == nil {
				news = append(news, mqtt.News{Key: shutterKey + strconv.Itoa(n), Value: fmt.Sprint(v)})
			}
		}
	}
	return news
}

// power reads the state of a relay.
func power(name, word string) []mqtt.News {
	if word != "ON" && word != "OFF" {
		return nil
	}
	n, err := strconv.Atoi(strings.TrimPrefix(name, "POWER"))
	if err != nil {
		n = 1 // the only one
	}
	return []mqtt.News{{Key: powerKey(n), Value: word}}
}

// status keeps the answer to a status whole, without its time, which is another with every answer. A relay that
// is the only one is called by its number in it.
func status(v any, number string) []mqtt.News {
	object, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	delete(object, "Time")
	if only, has := object["POWER"]; has {
		object[powerKey(1)] = only
	}
	b, err := json.Marshal(object)
	if err != nil {
		return nil
	}
	return []mqtt.News{{Key: statusKey + number, Value: string(b)}}
}

// whereabouts reads the place of a shutter.
func whereabouts(position, direction string) (devices.Whereabouts, error) {
	percent, err := mqtt.Percent(position)
	if err != nil {
		return devices.Whereabouts{}, fmt.Errorf("position: %w", err)
	}
	motion, known := map[string]devices.Motion{"1": devices.Up, "0": devices.Stop, "-1": devices.Down}[direction]
	if !known {
		return devices.Whereabouts{}, fmt.Errorf("direction %.20q is not 1, 0 or -1", direction)
	}
	return devices.Whereabouts{Percent: percent, Known: true, Motion: motion}, nil
}

func rejection(word string) error {
	return &devices.Rejection{Code: word, Reason: devices.Phrase{
		ZH: "设备不认识此命令，请核对固件和设置", EN: "The device does not know this command: check its firmware and configuration",
	}}
}
