// Package configs is the room file: its types, its strict loading, its schema and its examples.
//
// A room file says everything about one room and nothing about how Lectern works: which lines it
// has, which equipment hangs on them, what may not happen, what a scene does, who may open which
// page. It is read whole or not at all: Load returns every fault it finds, each with file, line
// and column, what is wrong and what would be right.
//
// The package knows no driver. What it must know of them to check a file - their settings, what
// they can share - comes in through the Catalogue.
package configs

import "time"

// Room is a whole room file.
type Room struct {
	Room       About      `yaml:"room" doc:"what the room is called and where it is"`
	Lines      []Line     `yaml:"lines" doc:"the physical connections"`
	Devices    []Device   `yaml:"devices" doc:"the equipment, in the order in which people should meet it"`
	Sources    []Source   `yaml:"sources" doc:"what can be shown, and how"`
	Guards     []Guard    `yaml:"guards" doc:"what must never be set unless something holds, whoever asks"`
	Scenes     []Scene    `yaml:"scenes" doc:"what happens in steps"`
	Rules      []Rule     `yaml:"rules" doc:"what follows by itself when a property takes a value"`
	Panel      Panel      `yaml:"panel" doc:"pages, PINs, tokens, looks"`
	Facilities Facilities `yaml:"facilities" doc:"the MQTT broker that property management listens on"`
}

// About names the room.
type About struct {
	ID       string `yaml:"id" doc:"a-z, 0-9 and -; the room's name in topics and file names"`
	Name     Name   `yaml:"name" doc:"as people say it"`
	Language string `yaml:"language" doc:"zh or en: what the panel shows first"`
	Timezone string `yaml:"timezone" doc:"IANA name, such as Asia/Shanghai"`
	Help     string `yaml:"help" doc:"telephone number shown on every page"`
}

// Name is a text in both languages.
type Name struct {
	ZH string `yaml:"zh" json:"zh,omitempty"`
	EN string `yaml:"en" json:"en,omitempty"`
}

// Line is one physical connection.
type Line struct {
	ID      string        `yaml:"id"`
	Kind    string        `yaml:"kind" doc:"serial, tcp or modbus-tcp"`
	Port    string        `yaml:"port" doc:"serial: path of the port, best /dev/serial/by-id/..."`
	Baud    int           `yaml:"baud" doc:"serial: default 9600"`
	Format  string        `yaml:"format" doc:"serial: data bits, parity, stop bits; default 8N1"`
	Address string        `yaml:"address" doc:"tcp, modbus-tcp: host:port"`
	Gap     time.Duration `yaml:"gap" doc:"least silence between exchanges; default as the protocol demands"`
	Timeout time.Duration `yaml:"timeout" doc:"how long a reply may take; default as the protocol demands"`
	Pos     Pos           `yaml:"-"`
}

// Device is one piece of equipment. Which of the later keys it may have depends on its kind.
type Device struct {
	ID     string         `yaml:"id" doc:"a-z, 0-9 and -"`
	Kind   string         `yaml:"kind" doc:"circuit, light, dimmer, curtain, screen, projector, matrix, player, recorder, amplifier, sensor or camera"`
	Driver string         `yaml:"driver" doc:"the protocol it speaks"`
	Line   string         `yaml:"line" doc:"the line it hangs on"`
	With   map[string]any `yaml:"with" doc:"the driver's settings: unit, register, channel..."`
	Name   Name           `yaml:"name"`
	Area   string         `yaml:"area" doc:"whose PIN it needs: main (default), system or staff"`
	Mains  string         `yaml:"mains" doc:"the circuit that feeds it: while that is off, the device is not asked and not missed"`
	Poll   time.Duration  `yaml:"poll" doc:"how often it is asked for its state; default depends on the kind"`

	Levels     []Level       `yaml:"levels" doc:"dimmer: its levels beside off, each with a percentage"`
	Travel     time.Duration `yaml:"travel" doc:"curtain, screen: time from one end to the other"`
	DeadTime   time.Duration `yaml:"dead_time" doc:"curtain, screen: pause between the two directions, at least and by default 500ms"`
	Relays     *Relays       `yaml:"relays" doc:"curtain, screen: the two relays of a motor without its own control, in place of driver"`
	Inputs     []Port        `yaml:"inputs" doc:"projector, matrix: what can be chosen"`
	Outputs    []Port        `yaml:"outputs" doc:"matrix: what can be fed"`
	Transition *Transition   `yaml:"transition" doc:"projector: how long it warms and cools, and what becomes of commands meanwhile"`
	Limit      *Limit        `yaml:"limit" doc:"amplifier, player: bounds of its volume"`
	Volume     string        `yaml:"volume" doc:"player, recorder: the amplifier that sets its volume, where it has none itself"`
	Preview    *Preview      `yaml:"preview" doc:"player, recorder, camera: its picture"`
	Measures   string        `yaml:"measures" doc:"sensor: temperature, humidity, presence, contact or light"`
	Unit       string        `yaml:"unit" doc:"sensor: unit shown; default as the quantity has it"`
	Pos        Pos           `yaml:"-"`
}

// Level is one step of a dimmer.
type Level struct {
	ID      string `yaml:"id" doc:"the word in the API: low"`
	Name    Name   `yaml:"name"`
	Percent int    `yaml:"percent" doc:"1 to 100"`
}

// Relays names the two relays of a motor.
type Relays struct {
	Up   Relay `yaml:"up"`
	Down Relay `yaml:"down"`
}

// Relay is one switch, as a device of kind circuit would have it.
type Relay struct {
	Driver string         `yaml:"driver"`
	Line   string         `yaml:"line"`
	With   map[string]any `yaml:"with"`
	Pos    Pos            `yaml:"-"`
}

// Port is an input or an output.
type Port struct {
	ID   string `yaml:"id" doc:"the word in the API: hdmi1"`
	Name Name   `yaml:"name"`
	Code string `yaml:"code" doc:"the protocol's own word for it; default the id"`
	Pos  Pos    `yaml:"-"`
}

// Transition is how a projector comes and goes.
type Transition struct {
	Warm      time.Duration `yaml:"warm" doc:"usual time to light; default 30s"`
	Cool      time.Duration `yaml:"cool" doc:"usual time to cool; default 90s"`
	Meanwhile string        `yaml:"meanwhile" doc:"what becomes of an input chosen while warming: queue (the last one wins, default) or refuse"`
}

// Limit bounds a volume.
type Limit struct {
	Max   *int `yaml:"max" doc:"0 to 100: nobody can set more"`
	Start *int `yaml:"start" doc:"0 to 100: a volume found higher is brought down to this when the device comes up"`
}

// Preview is a picture of what a device plays, relayed by the daemon.
type Preview struct {
	URL  string `yaml:"url" doc:"http address of an MJPEG stream or of a still picture"`
	Kind string `yaml:"kind" doc:"mjpeg (default) or snapshot"`
}

// Source is something that can be shown.
type Source struct {
	ID     string            `yaml:"id"`
	Name   Name              `yaml:"name"`
	Icon   string            `yaml:"icon" doc:"computer, disc, recorder, camera or laptop"`
	On     string            `yaml:"on" doc:"the device id under which the choice is offered; default: sources"`
	Set    map[string]string `yaml:"set" doc:"device.property: value; all of them together are the source"`
	Volume string            `yaml:"volume" doc:"the amplifier that sets its volume, where it has audio"`
	Player string            `yaml:"player" doc:"the player or recorder behind it"`
	Pos    Pos               `yaml:"-"`
}

// Guard says that a property must not be set to a value unless other properties have certain
// values, reported and fresh.
type Guard struct {
	ID      string           `yaml:"id"`
	Set     map[string]Words `yaml:"set" doc:"device.property: value or values that are guarded"`
	Require map[string]Words `yaml:"require" doc:"device.property: value or values that must be reported"`
	For     time.Duration    `yaml:"for" doc:"how long they must have held"`
	Reason  Name             `yaml:"reason" doc:"what the panel says when it refuses"`
	Pos     Pos              `yaml:"-"`
}

// Words is a value or a list of values, kept as written.
type Words []any

// Scene is a named list of steps.
type Scene struct {
	ID        string        `yaml:"id"`
	Name      Name          `yaml:"name"`
	Area      string        `yaml:"area" doc:"whose PIN it needs: main (default), system or staff"`
	Hold      time.Duration `yaml:"hold" doc:"how long its button must be held; the server measures it"`
	Steps     []Step        `yaml:"steps"`
	ReverseOf string        `yaml:"reverse_of" doc:"in place of steps: the steps of that scene, each undone, last first"`
	OnFailure string        `yaml:"on_failure" doc:"for steps that do not say: stop (default), skip, unwind or ask"`
	OnRestart string        `yaml:"on_restart" doc:"a run cut off by a power failure: leave (default), finish or unwind"`
	Pos       Pos           `yaml:"-"`
}

// Step is one step of a scene: exactly one of Set, Wait, Pause, Scene and Together.
type Step struct {
	Name     Name             `yaml:"name" doc:"shown while it runs; default the device's name"`
	Set      map[string]any   `yaml:"set" doc:"device.property: value; several are done one after the other"`
	Wait     map[string]Words `yaml:"wait" doc:"device.property: value or values to wait for"`
	Pause    time.Duration    `yaml:"pause" doc:"do nothing for a while"`
	Scene    string           `yaml:"scene" doc:"run another scene"`
	Together []Step           `yaml:"together" doc:"steps side by side"`

	After     time.Duration `yaml:"after" doc:"pause before the next step"`
	Within    time.Duration `yaml:"within" doc:"time limit; a set that is refused for a while is tried again until then; default 10s"`
	Retry     int           `yaml:"retry" doc:"how often to try again after a failure; default 0"`
	OnFailure string        `yaml:"on_failure" doc:"stop, skip, unwind or ask"`
	Undo      []Step        `yaml:"undo" doc:"what undoes the step; default: each on becomes off"`
	Pos       Pos           `yaml:"-"`
}

// Rule makes one thing follow another: when a property changes to a value, while the daemon
// watches. What it finds at start changes nothing.
type Rule struct {
	ID   string           `yaml:"id"`
	When map[string]Words `yaml:"when" doc:"device.property: value or values that it takes"`
	For  time.Duration    `yaml:"for" doc:"how long it must have kept the value"`
	Set  map[string]any   `yaml:"set" doc:"device.property: value"`
	Run  string           `yaml:"run" doc:"a scene to run"`
	Pos  Pos              `yaml:"-"`
}

// Panel is what people meet.
type Panel struct {
	Pages  []string          `yaml:"pages" doc:"home, lights, curtains, projector, sources, the id of a player or recorder, system; default: all that have something to show"`
	Idle   Idle              `yaml:"idle"`
	PINs   map[string]string `yaml:"pins" doc:"area: what lectern pin printed"`
	Tokens []Token           `yaml:"tokens" doc:"for machines"`
	Theme  Theme             `yaml:"theme"`
}

// Idle is what happens when nobody touches the panel.
type Idle struct {
	Sleep time.Duration `yaml:"sleep" doc:"back to the blue sky; default 3m"`
	Lock  time.Duration `yaml:"lock" doc:"the main PIN is asked again; default 60m"`
	Area  time.Duration `yaml:"area" doc:"the system and staff PIN is asked again; default 5m"`
}

// Token lets a machine in.
type Token struct {
	Name   string `yaml:"name" doc:"as the journal shows it"`
	Role   string `yaml:"role" doc:"view, operate (main) or system (main and system)"`
	Secret string `yaml:"secret" doc:"at least 20 characters, from ${ENV} or file:"`
	Pos    Pos    `yaml:"-"`
}

// Theme is how the panel looks.
type Theme struct {
	Mode   string `yaml:"mode" doc:"sky (default) or night"`
	Accent string `yaml:"accent" doc:"#rrggbb"`
	Logo   string `yaml:"logo" doc:"path of a PNG or SVG beside the room file"`
}

// Facilities is the broker.
type Facilities struct {
	Broker   string `yaml:"broker" doc:"embedded, or tcp://host:1883, or ssl://host:8883; none: no MQTT"`
	User     string `yaml:"user"`
	Password string `yaml:"password" doc:"from ${ENV} or file:"`
	CA       string `yaml:"ca" doc:"path of the authority's certificate"`
}

// Pos is a place in a room file.
type Pos struct{ Line, Column int }
