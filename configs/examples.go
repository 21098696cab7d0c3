package configs

import "embed"

// Examples holds the example room files: demo.yaml, huddle.yaml and lecture-hall.yaml.
//
//go:embed demo.yaml huddle.yaml lecture-hall.yaml
var Examples embed.FS

// DemoPINs are the PINs of the demo room, by area; they stand in its comments and open nothing else.
var DemoPINs = map[string]string{"main": "1234", "system": "5678", "staff": "2468"}

//go:embed demo.yaml
var demo string

// Demo returns the demo room's file name and a copy of its text. It is the room that runs when no
// room file is given.
func Demo() (name string, data []byte) { return "demo.yaml", []byte(demo) }
