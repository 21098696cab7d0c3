package mqtt

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lectern/devices"
	"lectern/scenes/meeting"
	"lectern/scenes/room"
)

// What Home Assistant publishes of its MQTT platforms, as rules: what each must have and may have beside
// what all may. Keys that are not here it ignores, so that a slip of the pen would go unnoticed.
var (
	everyPlatform = strings.Fields("platform name unique_id availability availability_mode qos entity_category enabled_by_default icon object_id device_class retain encoding")
	platforms     = map[string]struct{ must, may string }{
		"light": {"command_topic", `state_topic payload_on payload_off state_value_template on_command_type brightness_scale
			brightness_command_topic brightness_command_template brightness_state_topic brightness_value_template`},
		"switch": {"command_topic", "state_topic payload_on payload_off state_on state_off value_template"},
		"cover": {"command_topic", `state_topic payload_open payload_close payload_stop state_open state_opening state_closed
			state_closing state_stopped position_topic set_position_topic position_open position_closed`},
		"select":        {"command_topic options", "state_topic value_template"},
		"number":        {"command_topic", "state_topic min max step mode unit_of_measurement"},
		"button":        {"command_topic", "payload_press"},
		"sensor":        {"state_topic", "value_template unit_of_measurement state_class options expire_after"},
		"binary_sensor": {"state_topic", "payload_on payload_off value_template"},
	}
	deviceClasses = map[string]string{
		"cover": "curtain blind shade shutter", "sensor": "enum temperature humidity illuminance duration", "binary_sensor": "occupancy opening",
	}
	unitsOf     = map[string]string{"temperature": "°C", "humidity": "%", "illuminance": "lx"}
	discoveryID = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
)

// entityFaults holds one component of a device payload against the rules.
func entityFaults(c component) (faults []string) {
	fault := func(format string, a ...any) { faults = append(faults, fmt.Sprintf(format, a...)) }
	platform := fmt.Sprint(c["platform"])
	rules, known := platforms[platform]
	if !known {
		return []string{"no platform " + platform}
	}
	for _, key := range append(strings.Fields(rules.must), "platform", "unique_id") {
		if c[key] == nil {
			fault("%s lacks %s", platform, key)
		}
	}
	allowed := append(append(strings.Fields(rules.must), strings.Fields(rules.may)...), everyPlatform...)
	for key, v := range c {
		if !slices.Contains(allowed, key) {
			fault("%s does not know %s", platform, key)
		}
		if strings.HasSuffix(key, "_topic") {
			topic, _ := v.(string)
			if !strings.HasPrefix(topic, "homie/5/") || strings.ContainsAny(topic, "+#") {
				fault("%s is %v", key, v)
			}
			if set := strings.Contains(key, "command") || strings.HasPrefix(key, "set_"); set != strings.HasSuffix(topic, "/set") {
				fault("%s is %v", key, v)
			}
		}
	}
	if class := c["device_class"]; class != nil && !slices.Contains(strings.Fields(deviceClasses[platform]), class.(string)) {
		fault("%s has no class %v", platform, class)
	}
	if unit := unitsOf[fmt.Sprint(c["device_class"])]; unit != "" && c["unit_of_measurement"] != unit {
		fault("%v in %v", c["device_class"], c["unit_of_measurement"])
	}
	if c["device_class"] == "duration" && !slices.Contains([]any{"s", "min", "h", "d"}, c["unit_of_measurement"]) {
		fault("a duration in %v", c["unit_of_measurement"])
	}
	if (c["device_class"] == "enum") != (platform == "sensor" && c["options"] != nil) || c["device_class"] == "enum" && (c["state_class"] != nil || c["unit_of_measurement"] != nil) {
		fault("an enum is words and nothing more")
	}
	if class := c["state_class"]; class != nil && !slices.Contains([]any{"measurement", "total", "total_increasing"}, class) {
		fault("no state class %v", class)
	}
	if qos, ok := c["qos"]; ok && qos != 0.0 && qos != 1.0 && qos != 2.0 {
		fault("qos %v", qos)
	}
	if c["retain"] == true {
		fault("its commands would be retained")
	}
	if category := c["entity_category"]; category != nil && category != "diagnostic" && category != "config" || category == "config" && strings.Contains(platform, "sensor") {
		fault("category %v", category)
	}
	if c["set_position_topic"] != nil && c["position_topic"] == nil {
		fault("set_position_topic wants position_topic")
	}
	if platform == "number" {
		low, high, step := c["min"].(float64), c["max"].(float64), c["step"].(float64)
		if low >= high || step < 0.001 || step > high-low {
			fault("from %v to %v by %v", low, high, step)
		}
	}
	if platform == "light" && c["on_command_type"] == "brightness" && (c["brightness_command_topic"] == nil || c["brightness_scale"].(float64) < 1) {
		fault("a light that is switched on by its brightness has none")
	}
	return append(faults, availabilityFaults(c)...)
}

func availabilityFaults(c component) (faults []string) {
	list, _ := c["availability"].([]any)
	if c["availability_topic"] != nil || len(list) < 1 || len(list) > 2 || c["availability_mode"] != "all" {
		return []string{fmt.Sprint("availability ", c["availability"], " of mode ", c["availability_mode"])}
	}
	for _, state := range homieStates {
		if got := available(list[0].(map[string]any), state); got != (state == "ready") {
			faults = append(faults, fmt.Sprintf("in state %s it is available: %v", state, got))
		}
	}
	if len(list) == 2 && (!available(list[1].(map[string]any), "true") || available(list[1].(map[string]any), "false")) {
		faults = append(faults, "online is not what makes it available")
	}
	return faults
}

// available is what Home Assistant makes of a payload; one that fits neither leaves it as it was, which is
// the same as wrong here.
func available(a map[string]any, payload string) bool {
	if template, ok := a["value_template"].(string); ok {
		out, err := jinja(template, payload)
		if err != nil {
			return false
		}
		payload = out
	}
	if payload != a["payload_available"] && payload != a["payload_not_available"] {
		panic("undecided: " + payload)
	}
	return payload == a["payload_available"]
}

// shownState is what an entity makes of a state payload, or why it cannot.
func shownState(c component, topicKey, templateKey, payload string) error {
	if template, ok := c[templateKey].(string); ok {
		out, err := jinja(template, payload)
		if err != nil {
			return err
		}
		payload = out
	}
	is := func(keys ...string) error {
		for _, k := range keys {
			if c[k] == payload {
				return nil
			}
		}
		return fmt.Errorf("%q is none of %v", payload, keys)
	}
	number := func(low, high float64) error {
		if f, err := strconv.ParseFloat(payload, 64); err != nil || f < low || f > high {
			return fmt.Errorf("%q is no number from %v to %v", payload, low, high)
		}
		return nil
	}
	options, _ := c["options"].([]any)
	switch platform := c["platform"]; {
	case topicKey == "position_topic":
		return number(0, 100)
	case topicKey == "brightness_state_topic":
		return number(0, c["brightness_scale"].(float64))
	case platform == "cover":
		return is("state_opening", "state_closing", "state_stopped")
	case platform == "switch" && payload == "None": // unknown
		return nil
	case platform == "switch" && c["state_on"] != nil:
		return is("state_on", "state_off")
	case platform == "switch" || platform == "light" || platform == "binary_sensor":
		return is("payload_on", "payload_off")
	case platform == "number":
		return number(c["min"].(float64), c["max"].(float64))
	case options != nil && !slices.Contains(options, any(payload)):
		return fmt.Errorf("%q is none of %v", payload, options)
	case c["unit_of_measurement"] != nil:
		return number(-1e9, 1e9)
	case len([]rune(payload)) > 255:
		return fmt.Errorf("a state of %d characters", len(payload))
	}
	return nil
}

// everyPayload is all that a property's topic can say.
func everyPayload(p devices.Property) []string {
	switch p.Kind {
	case devices.KindBool:
		return []string{"true", "false"}
	case devices.KindInteger:
		return []string{fmt.Sprint(int(p.Min)), fmt.Sprint(int(p.Max))}
	case devices.KindNumber:
		return []string{"21.5", "-3"}
	case devices.KindEnum:
		return wordsOf(p, func(o devices.Option) bool { return !o.Act })
	}
	return []string{"\x00", strings.Repeat("故障", 300)}
}

// discovered waits for the device payload of a room, as JSON has it.
func (l *listener) discovered(t *testing.T, room string) (d struct {
	Device     component
	Origin     component
	Components map[string]component
}) {
	t.Helper()
	l.until(t, "discovered", func() bool {
		return json.Unmarshal([]byte(l.last["homeassistant/device/lectern-"+room+"/config"]), &d) == nil && len(d.Components) > 0
	})
	return d
}

func TestHomeAssistantTakesEveryComponent(t *testing.T) {
	for _, file := range []string{"demo.yaml", "lecture-hall.yaml", "huddle.yaml"} {
		t.Run(file, func(t *testing.T) {
			v := openFor(t, "embedded", strings.TrimSuffix(file, ".yaml"))
			cfg, r, f := example(t, v, file)
			d := f.discovered(t, cfg.Room.ID)
			if d.Device["identifiers"] == nil || d.Device["name"] == nil || d.Origin["name"] != "lectern" || !discoveryID.MatchString("lectern-"+cfg.Room.ID) {
				t.Errorf("%+v %+v", d.Device, d.Origin)
			}
			ids, names := make(map[any]string), make(map[any]string)
			commands := make(map[string]bool)
			for key, c := range d.Components {
				for _, fault := range entityFaults(c) {
					t.Errorf("%s: %s", key, fault)
				}
				id := c["unique_id"]
				if other := ids[id]; other != "" || !discoveryID.MatchString(key) || c["name"] == "" {
					t.Errorf("%s has the id %v, like %s", key, id, other)
				}
				if other := names[c["name"]]; other != "" {
					t.Errorf("%s is called %v, like %s", key, c["name"], other)
				}
				ids[id], names[c["name"]] = key, key
				for k, topic := range c {
					if s, ok := topic.(string); ok && strings.HasSuffix(s, "/set") {
						commands[s] = true
					}
					if k == "state_topic" || k == "position_topic" || k == "brightness_state_topic" {
						template := map[string]string{"brightness_state_topic": "brightness_value_template"}[k]
						if template == "" && c["platform"] == "light" {
							template = "state_value_template"
						} else if template == "" && k == "state_topic" {
							template = "value_template"
						}
						sees(t, r, f, cfg.Room.ID, key, c, k, template, topic.(string))
					}
				}
				sets(t, r, cfg.Room.ID, key, c)
			}
			everyProperty(r, func(device string, p devices.Property) {
				if topic := "homie/5/" + cfg.Room.ID + "/" + device + "/" + p.Name + "/set"; p.Settable && !commands[topic] {
					t.Errorf("nothing sets %s.%s", device, p.Name)
				}
			})
			for _, s := range cfg.Scenes {
				if c := d.Components["scene_"+s.ID]; c["platform"] != "button" || c["payload_press"] != "run" {
					t.Errorf("scene %s: %v", s.ID, c)
				}
			}
		})
	}
}

// sees holds what an entity understands against all that its topic can say, and against what it says.
func sees(t *testing.T, r *room.Room, f *listener, id, key string, c component, topicKey, templateKey, topic string) {
	t.Helper()
	device, property, _ := strings.Cut(strings.TrimPrefix(topic, "homie/5/"+id+"/"), "/")
	_, p, err := r.Lookup(device, property)
	payloads := []string{}
	if err == nil {
		payloads = everyPayload(p)
	} else if property == bandProperty {
		payloads = []string{meeting.InBand, meeting.BelowBand, meeting.AboveBand, meeting.NoBand}
	} else if device != controllerNode {
		t.Errorf("%s: %s is no topic of the room: %v", key, topic, err)
	}
	f.mu.Lock()
	if said, ok := f.last[topic]; ok && said != "" {
		payloads = append(payloads, said)
	}
	f.mu.Unlock()
	for _, payload := range payloads {
		if err := shownState(c, topicKey, templateKey, payload); err != nil {
			t.Errorf("%s, %s: %v", key, topicKey, err)
		}
	}
}

// sets holds what an entity sends against what the room takes.
func sets(t *testing.T, r *room.Room, id, key string, c component) {
	t.Helper()
	sends := make(map[string][]string)
	command := fmt.Sprint(c["command_topic"])
	for k, v := range c {
		if strings.HasPrefix(k, "payload_") {
			if s, ok := v.(string); ok && c["command_topic"] != nil {
				sends[command] = append(sends[command], s)
			}
		}
	}
	switch c["platform"] {
	case "number":
		sends[command] = append(sends[command], fmt.Sprint(c["min"]), fmt.Sprint(c["max"]))
	case "select": // a word that is only reported is refused, with a reason
		for _, o := range c["options"].([]any) {
			sends[command] = append(sends[command], fmt.Sprint(o))
		}
	case "cover":
		if topic := c["set_position_topic"]; topic != nil {
			sends[topic.(string)] = []string{"0", "50", "100"}
		}
	case "light":
		if template, ok := c["brightness_command_template"].(string); ok {
			for n := range int(c["brightness_scale"].(float64)) + 1 {
				out, err := jinja(template, fmt.Sprint(n))
				if err != nil {
					t.Errorf("%s: %v", key, err)
				}
				back, err := jinja(c["brightness_value_template"].(string), out)
				if err != nil || back != fmt.Sprint(n) {
					t.Errorf("%s: brightness %d sets %s, which is shown as %s, %v", key, n, out, back, err)
				}
				sends[command] = append(sends[command], out)
			}
		}
	}
	for topic, payloads := range sends {
		parts := strings.Split(strings.TrimPrefix(topic, "homie/5/"+id+"/"), "/")
		if parts[0] == scenesNode {
			continue
		}
		_, p, err := r.Lookup(parts[0], parts[1])
		if err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		for _, payload := range payloads {
			if slices.ContainsFunc(p.Options, func(o devices.Option) bool { return o.State && o.Value == payload }) && c["platform"] == "select" {
				continue
			}
			if _, err := p.Check(payload); err != nil {
				t.Errorf("%s sends what the room refuses: %v", key, err)
			}
		}
	}
}

// The rules find what is wrong.
func TestTheRulesOfHomeAssistant(t *testing.T) {
	good := `{"platform":"switch","unique_id":"a","command_topic":"homie/5/a/b/c/set","state_topic":"homie/5/a/b/c","availability_mode":"all",
		"availability":[{"topic":"homie/5/a/$state","payload_available":"ready","payload_not_available":"no","value_template":"{{ 'ready' if value == 'ready' else 'no' }}"}]}`
	for _, change := range []string{
		"", `"platform":"player"`, `"command_topic":null`, `"command_topic":"homie/5/a/b/c"`, `"state_topic":"homie/5/a/b/c/set"`, `"brightness_scale":4`, `"availability_mode":"any"`,
		`"availability":[]`, `"device_class":"lamp"`, `"retain":true`, `"qos":3`,
		`"availability":[{"topic":"homie/5/a/$state","payload_available":"ready","payload_not_available":"no","value_template":"{{ 'ready' if value == 'init' else 'no' }}"}]`,
	} {
		var c component
		text := good
		if change != "" {
			text = strings.TrimSuffix(good, "}") + "," + change + "}"
		}
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		if faults := entityFaults(c); (len(faults) > 0) != (change != "") {
			t.Errorf("%s: %v", change, faults)
		}
	}
}

func TestHomeAssistantIsToldAgainWhenItStarts(t *testing.T) {
	everywhere(t, func(t *testing.T, v *venue) {
		_, f := show(t, v)
		f.discovered(t, "hall")
		count := func() (n int) {
			for _, h := range f.all {
				if strings.HasPrefix(h.topic, "homeassistant/device/") {
					n++
				}
			}
			return n
		}
		f.mu.Lock()
		before := count()
		f.mu.Unlock()
		f.publish(t, birthTopic, "online", false)
		f.until(t, "it is told again", func() bool { return count() > before })
	})
}
