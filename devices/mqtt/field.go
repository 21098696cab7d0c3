package mqtt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Decode reads a JSON payload, numbers as they are written.
func Decode(payload []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	return v, nil
}

// Field finds a value in what Decode returned, by a path of keys with dots between them ("AM2301.Temperature"),
// and writes it as text. Ok is false where there is none, or where it is a list, an object or null.
func Field(v any, path string) (text string, ok bool) {
	for key := range strings.SplitSeq(path, ".") {
		object, is := v.(map[string]any)
		if !is {
			return "", false
		}
		v = object[key]
	}
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// Number reads a number that equipment has written, be it with a fraction. Contacts and presence are often
// words: those that mean yes are 1, those that mean no are 0.
func Number(text string) (float64, error) {
	switch strings.ToLower(text) {
	case "on", "true", "open", "yes":
		return 1, nil
	case "off", "false", "closed", "no":
		return 0, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, fmt.Errorf("%.40q is no number", text)
	}
	return f, nil
}

// Percent reads a whole number from 0 to 100; what is a little beyond is taken for the end.
func Percent(text string) (int, error) {
	f, err := Number(text)
	if err != nil {
		return 0, err
	}
	if f < -1 || f > 101 {
		return 0, fmt.Errorf("%g is not 0 to 100", f)
	}
	return int(math.Round(min(100, max(0, f)))), nil
}

// CheckTopic says what is wrong with a topic that is to be published to.
func CheckTopic(key, topic string) error {
	switch {
	case topic == "":
		return fmt.Errorf("%s is missing: it is the topic of the equipment", key)
	case len(topic) > 200:
		return fmt.Errorf("%s has %d characters: a topic here has at most 200", key, len(topic))
	case strings.ContainsAny(topic, "+#\x00"):
		return fmt.Errorf("%s %q: a topic has no + and no #", key, topic)
	case strings.HasPrefix(topic, "/") || strings.HasSuffix(topic, "/"):
		return fmt.Errorf("%s %q: write it without a / at its ends", key, topic)
	}
	return nil
}
