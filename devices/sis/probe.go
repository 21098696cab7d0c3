package sis

import (
	"regexp"
	"strings"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

// firmwareForm is the answer to Q: a version, tagged in verbose modes 2 and 3.
var firmwareForm = regexp.MustCompile(`^(?:Ver[0-9]{2}\*)?[0-9]+\.[0-9]{2}[0-9A-Za-z.-]*$`)

// probe asks for the firmware's version. Over telnet the greeting tells as much, and so does the
// question for a password.
func probe() *devices.Probe {
	return &devices.Probe{
		Protocol: "Extron SIS", Bauds: []int{9600, 115200, 38400},
		Ask: func(line.Kind, any) line.Exchange {
			return line.Exchange{
				Request: []byte("Q"), Note: "firmware version", Timeout: time.Second,
				Find: line.FindFrame(split, func(f []byte) bool {
					m := parse(f)
					return m.kind == banner || m.kind == password || firmwareForm.MatchString(strings.TrimSpace(string(f)))
				}),
				Explain: func(f []byte) string {
					text := strings.TrimSpace(string(f))
					if firmwareForm.MatchString(text) {
						return "firmware " + text
					}
					return text
				},
			}
		},
	}
}
