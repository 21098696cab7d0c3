package mqtt

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// What follows is the Homie convention 5 (convention.md of homieiot/convention) as rules, written from its
// text and sharing nothing with the gateway.

var (
	homieID       = regexp.MustCompile(`^[a-z0-9-]+$`)
	homieInteger  = regexp.MustCompile(`^-?[0-9]+$`)
	homieFloat    = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
	homieDuration = regexp.MustCompile(`^PT([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]+)?S)?$`)
	homieStates   = []string{"init", "ready", "disconnected", "sleeping", "lost"}
	homieTypes    = []string{"integer", "float", "boolean", "string", "enum", "color", "datetime", "duration", "json"}
)

// described is a property as $description has it.
type described struct {
	Name     string
	Datatype string
	Format   *string
	Settable bool
	Retained *bool
	Unit     *string
}

// faultsOf holds the retained topics of one device against the convention. Unknown says that a property may
// have no value.
func faultsOf(root string, retained map[string]string, unknown func(node, property string) bool) (faults []string) {
	fault := func(format string, a ...any) { faults = append(faults, fmt.Sprintf(format, a...)) }
	if !homieID.MatchString(root[strings.LastIndex(root, "/")+1:]) {
		fault("the device id of %s", root)
	}
	if !slices.Contains(homieStates, retained[root+"/$state"]) {
		fault("$state is %q", retained[root+"/$state"])
	}
	var d struct {
		Homie   string
		Version *int64
		Name    string
		Type    string
		Nodes   map[string]struct {
			Name, Type string
			Properties map[string]described
		}
		Children   []string
		Extensions []string
	}
	decoder := json.NewDecoder(strings.NewReader(retained[root+"/$description"]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return append(faults, "$description: "+err.Error())
	}
	if ok, _ := regexp.MatchString(`^5\.[0-9]+$`, d.Homie); !ok {
		fault("homie is %q", d.Homie)
	}
	if d.Version == nil {
		fault("$description has no version")
	}
	known := map[string]bool{"$state": true, "$description": true}
	for node, n := range d.Nodes {
		if !homieID.MatchString(node) || n.Properties == nil {
			fault("node %q", node)
		}
		for property, p := range n.Properties {
			name := node + "/" + property
			if !homieID.MatchString(property) {
				fault("the id of %s", name)
			}
			for _, f := range formatFaults(p) {
				fault("%s: %s", name, f)
			}
			keeps := p.Retained == nil || *p.Retained
			for topic, has := range map[string]bool{name: keeps, name + "/$target": keeps && p.Settable} {
				payload, there := retained[root+"/"+topic]
				known[topic] = has
				switch {
				case there && has:
					if f := payloadFault(p, payload); f != "" {
						fault("%s: %s", topic, f)
					}
				case !there && has && topic == name && !unknown(node, property):
					fault("%s has no value", topic)
				}
			}
		}
	}
	for topic := range retained {
		below := strings.TrimPrefix(topic, root+"/")
		if alert, ok := strings.CutPrefix(below, "$alert/"); ok && homieID.MatchString(alert) {
			continue
		}
		if !known[below] {
			fault("%s is retained and not described", topic)
		}
	}
	return faults
}

func formatFaults(p described) (faults []string) {
	if !slices.Contains(homieTypes, p.Datatype) {
		return []string{"datatype " + p.Datatype}
	}
	format := ""
	if p.Format != nil {
		format = *p.Format
		if format == "" {
			faults = append(faults, "an empty format")
		}
	}
	switch p.Datatype {
	case "integer", "float":
		number := map[string]*regexp.Regexp{"integer": homieInteger, "float": homieFloat}[p.Datatype]
		parts := strings.Split(format, ":")
		if format != "" && (len(parts) < 2 || len(parts) > 3) {
			faults = append(faults, "format "+format)
		}
		for _, part := range parts {
			if part != "" && !number.MatchString(part) {
				faults = append(faults, "format "+format)
			}
		}
		if len(parts) >= 2 && parts[0] != "" && parts[1] != "" {
			low, _ := strconv.ParseFloat(parts[0], 64)
			high, _ := strconv.ParseFloat(parts[1], 64)
			if low > high {
				faults = append(faults, "format "+format)
			}
		}
	case "enum":
		words := strings.Split(format, ",")
		slices.Sort(words)
		if slices.Contains(words, "") || len(slices.Compact(words)) != strings.Count(format, ",")+1 {
			faults = append(faults, "enum of "+format)
		}
	case "color":
		if ok, _ := regexp.MatchString(`^(rgb|hsv|xyz)(,(rgb|hsv|xyz))*$`, format); !ok {
			faults = append(faults, "color of "+format)
		}
	case "json":
		if format != "" && !json.Valid([]byte(format)) {
			faults = append(faults, "the schema "+format)
		}
	case "boolean":
		if format != "" && strings.Count(format, ",") != 1 {
			faults = append(faults, "boolean of "+format)
		}
	default:
		if format != "" {
			faults = append(faults, p.Datatype+" has no format")
		}
	}
	return faults
}

// payloadFault is what is wrong with a value; "" for nothing.
func payloadFault(p described, payload string) string {
	wrong := fmt.Sprintf("%q is no %s", payload, p.Datatype)
	if !utf8.ValidString(payload) {
		return wrong
	}
	format := ""
	if p.Format != nil {
		format = *p.Format
	}
	switch p.Datatype {
	case "boolean":
		if payload != "true" && payload != "false" {
			return wrong
		}
	case "integer", "float":
		if p.Datatype == "integer" && !homieInteger.MatchString(payload) || !homieFloat.MatchString(payload) {
			return wrong
		}
		f, err := strconv.ParseFloat(payload, 64)
		parts := append(strings.Split(format, ":"), "", "")
		low, lowErr := strconv.ParseFloat(parts[0], 64)
		high, highErr := strconv.ParseFloat(parts[1], 64)
		by, byErr := strconv.ParseFloat(parts[2], 64)
		switch {
		case err != nil, lowErr == nil && f < low, highErr == nil && f > high:
			return wrong + " of " + format
		case byErr == nil && lowErr == nil:
			if steps := (f - low) / by; steps != float64(int64(steps)) {
				return wrong + " of " + format
			}
		}
	case "enum":
		if !slices.Contains(strings.Split(format, ","), payload) {
			return wrong + " of " + format
		}
	case "color":
		kind, rest, _ := strings.Cut(payload, ",")
		want := map[string]int{"rgb": 3, "hsv": 3, "xyz": 2}[kind]
		numbers := strings.Split(rest, ",")
		if !slices.Contains(strings.Split(format, ","), kind) || len(numbers) != want {
			return wrong
		}
		for _, n := range numbers {
			if !homieFloat.MatchString(n) {
				return wrong
			}
		}
	case "datetime":
		if _, err := time.Parse(time.RFC3339, payload); err != nil {
			return wrong
		}
	case "duration":
		if !homieDuration.MatchString(payload) || payload == "PT" {
			return wrong
		}
	case "json":
		if !json.Valid([]byte(payload)) || !strings.HasPrefix(payload, "{") && !strings.HasPrefix(payload, "[") {
			return wrong
		}
	case "string":
		if payload == "" || len(payload) > 1 && strings.Contains(payload, "\x00") {
			return wrong
		}
	}
	return ""
}

// The rules themselves: what they take and what they find.
func TestTheRulesOfTheConvention(t *testing.T) {
	of := func(datatype, format string) described {
		d := described{Datatype: datatype}
		if format != "" {
			d.Format = &format
		}
		return d
	}
	for _, test := range []struct {
		described
		good, bad []string
	}{
		{of("boolean", ""), []string{"true", "false"}, []string{"", "True", "on", "1", "true "}},
		{of("integer", "-10:100:5"), []string{"-10", "0", "95"}, []string{"", "7", "101", "-15", "5.0", "0x5", "+5"}},
		{of("integer", "0:"), []string{"0", "123456"}, []string{"-1"}},
		{of("float", "0:1"), []string{"0", "0.5", "1e-3"}, []string{".5", "NaN", "Infinity", "1.1", ""}},
		{of("enum", "off,low"), []string{"off", "low"}, []string{"Off", "", "off,low"}},
		{of("string", ""), []string{"a", "今", "\x00"}, []string{"", "a\x00b", "\xff"}},
		{of("datetime", ""), []string{"2026-11-24T08:00:00Z", "2026-11-24T08:00:00+08:00"}, []string{"", "yesterday", "2026-11-24"}},
		{of("duration", ""), []string{"PT12H5M46S", "PT5S"}, []string{"PT", "5s", ""}},
		{of("color", "rgb,xyz"), []string{"rgb,1,2,3", "xyz,0.2,0.3"}, []string{"hsv,1,2,3", "rgb,1,2", "red"}},
		{of("json", `{"type":"array"}`), []string{"[]", `{"a":1}`}, []string{"", "1", "[", `"a"`}},
	} {
		if f := formatFaults(test.described); f != nil {
			t.Errorf("%s: %v", test.Datatype, f)
		}
		for _, payload := range test.good {
			if f := payloadFault(test.described, payload); f != "" {
				t.Error(f)
			}
		}
		for _, payload := range test.bad {
			if payloadFault(test.described, payload) == "" {
				t.Errorf("%q passes for %s", payload, test.Datatype)
			}
		}
	}
	for _, bad := range []described{of("number", ""), of("integer", "5"), of("integer", "9:1"), of("float", "a:b"), of("enum", ""), of("enum", "a,a"), of("enum", "a,,b"), of("color", "cmyk"), of("json", "{"), of("string", "x"), of("boolean", "yes")} {
		if formatFaults(bad) == nil {
			t.Errorf("%s of %s passes", bad.Datatype, *bad.Format)
		}
	}
	good := map[string]string{"homie/5/a/$state": "ready", "homie/5/a/$description": `{"homie":"5.0","version":1,"nodes":{"n":{"properties":{"p":{"datatype":"boolean","settable":true}}}}}`, "homie/5/a/n/p": "true", "homie/5/a/n/p/$target": "false"}
	never := func(string, string) bool { return false }
	if f := faultsOf("homie/5/a", good, never); f != nil {
		t.Error(f)
	}
	for topic, payload := range map[string]string{
		"homie/5/a/$state": "online", "homie/5/a/$description": `{"homie":"5.0","version":"1"}`, "homie/5/a/n/p": "yes", "homie/5/a/n/p/$target": "",
		"homie/5/a/n/p/set": "true", "homie/5/a/n/q": "1", "homie/5/a/n/p/$result": "{}",
	} {
		bad := make(map[string]string)
		for k, v := range good {
			bad[k] = v
		}
		bad[topic] = payload
		if faultsOf("homie/5/a", bad, never) == nil {
			t.Errorf("%s says %s and nobody minds", topic, payload)
		}
	}
	delete(good, "homie/5/a/n/p")
	if faultsOf("homie/5/a", good, never) == nil {
		t.Error("a property without a value and nobody minds")
	}
}
