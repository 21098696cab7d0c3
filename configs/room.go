// Package configs is the room file: its types, its strict loading, its schema and its examples.
//
// A room file says everything about one room and nothing about how Lectern works: which lines it
// has, which equipment hangs on them, what may not happen, what a scene does, who may open which
// page. It is read whole or not at all: Load returns every fault it finds, each with file, line
// and column, what is wrong and what would be right.
//
// The package knows no driver. What it must know of them to check a file - their settings, what
// they can share - comes in through the Catalogue.
//
// The types below are what is loaded, and their tags are what is checked, filled in and put into the
// schema, so that the three cannot say different things:
//
//	yaml     the key
//	doc      what it means, for the schema and for faults
//	need     the kinds for which it must be there; * for all
//	kinds    the kinds that have it at all; without the tag, all
//	enum     the words it takes
//	default  what it is where it is left out
//	least    the least that a number or duration may be
//	most     the most
//	from     in the settings of a driver: the list of the file that holds the thing, named by its id
//
// A map with the yaml tag ",inline" takes the keys that no other field has.
package configs

import "time"

// Room is a whole room file.
type Room struct {
	Room       About       `yaml:"room" need:"*" doc:"what the room is called and where it is"`
	Lines      []Line      `yaml:"lines" doc:"the physical connections"`
	Protocols  []Protocol  `yaml:"protocols" doc:"of equipment that Lectern does not know, for devices with driver script"`
	Devices    []Device    `yaml:"devices" doc:"the equipment, in the order in which people should meet it"`
	Sources    []Source    `yaml:"sources" doc:"what can be shown, and how"`
	Guards     []Guard     `yaml:"guards" doc:"what must never be set unless something holds, whoever asks"`
	Scenes     []Scene     `yaml:"scenes" doc:"what happens in steps"`
	Rules      []Rule      `yaml:"rules" doc:"what follows by itself when a property takes a value"`
	Schedule   []Scheduled `yaml:"schedule" doc:"what happens by itself at a time of day"`
	Holidays   []string    `yaml:"holidays" doc:"days on which the schedule rests: 2027-02-05, 2027-02-05..2027-02-11, or file:PATH of a file with one a line"`
	AutoOff    []AutoOff   `yaml:"auto_off" doc:"what ends a meeting that nobody is in any more"`
	Emergency  *Emergency  `yaml:"emergency" doc:"what the fire alarm makes the room do"`
	Meetings   Meetings    `yaml:"meetings" doc:"where the room's meetings are known from, and what staff do around them"`
	Staff      Staff       `yaml:"staff" doc:"who is told, outside the room, of repair orders and of equipment that is down"`
	Panel      Panel       `yaml:"panel" need:"*" doc:"pages, PINs, tokens, looks"`
	Facilities Facilities  `yaml:"facilities" doc:"the MQTT broker that property management listens on"`
	Journal    Journal     `yaml:"journal" doc:"what is kept of what happened"`

	// Resting is what Holidays means, with what stands in files.
	Resting []Span `yaml:"-"`
}

// About names the room.
type About struct {
	ID       string `yaml:"id" need:"*" doc:"a-z, 0-9 and -; the room's name in topics and file names"`
	Name     Name   `yaml:"name" need:"*" doc:"as people say it"`
	Language string `yaml:"language" enum:"zh,en" default:"zh" doc:"what the panel shows first"`
	Timezone string `yaml:"timezone" doc:"IANA name, such as Asia/Shanghai; left out, that of the machine"`
	Help     string `yaml:"help" doc:"telephone number shown on every page"`
}

// Name is a text in both languages. Where only one is given it stands for the other.
type Name struct {
	ZH string `yaml:"zh" json:"zh,omitempty" doc:"in Chinese"`
	EN string `yaml:"en" json:"en,omitempty" doc:"in English"`
}

// Line is one physical connection.
type Line struct {
	ID       string        `yaml:"id" need:"*" doc:"a-z, 0-9 and -"`
	Kind     string        `yaml:"kind" need:"*" enum:"serial,tcp,modbus-tcp,mqtt" doc:"what the line is; tcp also carries Modbus RTU frames, modbus-tcp those with an MBAP header; mqtt leads to a broker"`
	Port     string        `yaml:"port" kinds:"serial" need:"serial" doc:"path of the port, best /dev/serial/by-id/..."`
	Baud     int           `yaml:"baud" kinds:"serial" default:"9600" doc:"speed in bits per second"`
	Format   string        `yaml:"format" kinds:"serial" default:"8N1" doc:"data bits (7, 8), parity (N, E, O), stop bits (1, 2)"`
	Address  string        `yaml:"address" kinds:"tcp,modbus-tcp,mqtt" need:"tcp,modbus-tcp,mqtt" doc:"host:port; a broker has 1883, or 8883 with TLS"`
	User     string        `yaml:"user" kinds:"mqtt" doc:"login at the broker; one of facilities.users with the role equipment at the embedded one"`
	Password string        `yaml:"password" kinds:"mqtt" doc:"from ${ENV} or file:"`
	TLS      bool          `yaml:"tls" kinds:"mqtt" doc:"whether the broker speaks TLS"`
	CA       string        `yaml:"ca" kinds:"mqtt" doc:"path of the authority's certificate, where the machine does not trust it already"`
	Cert     string        `yaml:"cert" kinds:"mqtt" doc:"path of this room's own certificate, where the broker asks for one"`
	Key      string        `yaml:"key" kinds:"mqtt" doc:"path of the certificate's key"`
	Gap      time.Duration `yaml:"gap" most:"10s" doc:"least silence between exchanges; default as the protocol demands"`
	Timeout  time.Duration `yaml:"timeout" most:"1m" doc:"how long a reply may take; default as the protocol demands"`
	Pos      Pos           `yaml:"-"`
}

// Protocol describes how some equipment is spoken to. The loader knows no more of it than its id: what
// stands in it belongs to the driver of the devices that name it, whose settings have a field with
// the tag from, and is decoded and checked with them.
type Protocol struct {
	ID   string         `yaml:"id" need:"*" doc:"a-z, 0-9 and -; devices name it in their settings"`
	Body map[string]any `yaml:",inline"`
	Pos  Pos            `yaml:"-"`
}

// Device is one piece of equipment. Which of the later keys it may have depends on its kind.
type Device struct {
	ID     string         `yaml:"id" need:"*" doc:"a-z, 0-9 and -"`
	Kind   string         `yaml:"kind" need:"*" enum:"circuit,light,dimmer,curtain,screen,projector,matrix,player,recorder,amplifier,sensor,camera" doc:"what it is for people"`
	Driver string         `yaml:"driver" kinds:"circuit,light,dimmer,curtain,screen,projector,matrix,player,recorder,amplifier,sensor" need:"circuit,light,dimmer,projector,matrix,player,recorder,amplifier,sensor" doc:"the protocol it speaks"`
	Line   string         `yaml:"line" kinds:"circuit,light,dimmer,curtain,screen,projector,matrix,player,recorder,amplifier,sensor" need:"circuit,light,dimmer,projector,matrix,player,recorder,amplifier,sensor" doc:"the id of the line it hangs on"`
	With   map[string]any `yaml:"with" kinds:"circuit,light,dimmer,curtain,screen,projector,matrix,player,recorder,amplifier,sensor" doc:"the driver's settings: unit, register, channel..."`
	Name   Name           `yaml:"name" need:"*" doc:"as people say it"`
	Area   string         `yaml:"area" enum:"main,system,staff" default:"main" doc:"whose PIN it needs"`
	Mains  string         `yaml:"mains" doc:"the circuit that feeds it: while that is off, the device is not asked and not missed"`
	Poll   time.Duration  `yaml:"poll" kinds:"circuit,light,dimmer,curtain,screen,projector,matrix,player,recorder,amplifier,sensor" least:"100ms" most:"1h" doc:"how often it is asked for its state; default 1s for what moves (curtain, screen, player, recorder), 2s for circuit, light, dimmer and projector, 5s for matrix, amplifier and sensor"`

	Levels     []Level       `yaml:"levels" kinds:"dimmer" need:"dimmer" doc:"its levels beside off, darkest first"`
	Travel     time.Duration `yaml:"travel" kinds:"curtain,screen" least:"1s" most:"10m" doc:"time from one end to the other; a motor with relays needs it"`
	DeadTime   time.Duration `yaml:"dead_time" kinds:"curtain,screen" least:"500ms" most:"10s" default:"500ms" doc:"pause between the two directions"`
	Relays     *Relays       `yaml:"relays" kinds:"curtain,screen" doc:"the two relays of a motor without its own control, in place of driver, line and with"`
	Inputs     []Port        `yaml:"inputs" kinds:"projector,matrix" need:"projector,matrix" doc:"what can be chosen"`
	Outputs    []Port        `yaml:"outputs" kinds:"matrix" need:"matrix" doc:"what can be fed"`
	Transition *Transition   `yaml:"transition" kinds:"projector" doc:"how long it warms and cools, and what becomes of commands meanwhile"`
	Limit      *Limit        `yaml:"limit" kinds:"amplifier,player,recorder" doc:"bounds of its volume"`
	Volume     string        `yaml:"volume" kinds:"player,recorder" doc:"the amplifier that sets its volume, where it has none itself"`
	Preview    *Preview      `yaml:"preview" kinds:"player,recorder,camera" need:"camera" doc:"its picture"`
	Measures   string        `yaml:"measures" kinds:"sensor" need:"sensor" enum:"temperature,humidity,presence,contact,light" doc:"the quantity; its property has this name"`
	Unit       string        `yaml:"unit" kinds:"sensor" doc:"unit shown; default °C for temperature, % for humidity, lx for light"`
	// Settings is With as the driver wants it: what its Settings function returned, decoded.
	Settings any `yaml:"-"`
	Pos      Pos `yaml:"-"`
}

// Level is one step of a dimmer.
type Level struct {
	ID      string `yaml:"id" need:"*" doc:"the word in the API: low"`
	Name    Name   `yaml:"name" doc:"default the panel's own word for the id"`
	Percent int    `yaml:"percent" need:"*" least:"1" most:"100" doc:"brightness; each level is brighter than the one before"`
}

// Relays names the two relays of a motor.
type Relays struct {
	Up   Relay `yaml:"up" need:"*" doc:"opens the curtain, takes the screen up"`
	Down Relay `yaml:"down" need:"*" doc:"closes the curtain, lets the screen down"`
}

// Relay is one switch, as a device of kind circuit would have it.
type Relay struct {
	Driver   string         `yaml:"driver" need:"*" doc:"the protocol it speaks"`
	Line     string         `yaml:"line" need:"*" doc:"the id of the line it hangs on"`
	With     map[string]any `yaml:"with" doc:"the driver's settings"`
	Settings any            `yaml:"-"` // as in Device
	Pos      Pos            `yaml:"-"`
}

// Port is an input or an output.
type Port struct {
	ID   string `yaml:"id" need:"*" doc:"the word in the API: hdmi1"`
	Name Name   `yaml:"name" doc:"default the id"`
	Code string `yaml:"code" doc:"the protocol's own word for it; default the id"`
	Pos  Pos    `yaml:"-"`
}

// Transition is how a projector comes and goes.
type Transition struct {
	Warm      time.Duration `yaml:"warm" default:"30s" most:"30m" doc:"usual time to light"`
	Cool      time.Duration `yaml:"cool" default:"90s" most:"30m" doc:"usual time to cool"`
	Meanwhile string        `yaml:"meanwhile" enum:"queue,refuse" default:"queue" doc:"what becomes of an input chosen while warming; queued, the last one wins"`
}

// Limit bounds a volume.
type Limit struct {
	Max   *int `yaml:"max" least:"0" most:"100" doc:"nobody can set more"`
	Start *int `yaml:"start" least:"0" most:"100" doc:"a volume found higher is brought down to this when the device comes up"`
}

// Preview is a picture of what a device plays, relayed by the daemon.
type Preview struct {
	URL  string `yaml:"url" need:"*" doc:"http or https address of an MJPEG stream or of a still picture"`
	Kind string `yaml:"kind" enum:"mjpeg,snapshot" default:"mjpeg" doc:"whether it moves"`
}

// Source is something that can be shown.
type Source struct {
	ID     string            `yaml:"id" need:"*" doc:"a-z, 0-9 and -"`
	Name   Name              `yaml:"name" need:"*" doc:"as people say it"`
	Icon   string            `yaml:"icon" enum:"computer,disc,recorder,camera,laptop" doc:"the picture on its button"`
	On     string            `yaml:"on" default:"sources" doc:"the device id under which the choice is offered; no other device may have it"`
	Set    map[string]string `yaml:"set" need:"*" doc:"device.property: value; all of them together are the source"`
	Volume string            `yaml:"volume" doc:"the amplifier that sets its volume, where it has audio"`
	Player string            `yaml:"player" doc:"the player or recorder behind it"`
	Pos    Pos               `yaml:"-"`
}

// Guard says that a property must not be set to a value unless other properties have certain
// values, reported and fresh.
type Guard struct {
	ID      string           `yaml:"id" need:"*" doc:"a-z, 0-9 and -"`
	Set     map[string]Words `yaml:"set" need:"*" doc:"device.property: value or values that are guarded"`
	Require map[string]Words `yaml:"require" need:"*" doc:"device.property: value or values that must be reported"`
	For     time.Duration    `yaml:"for" most:"24h" doc:"how long they must have held"`
	Reason  Name             `yaml:"reason" need:"*" doc:"what the panel says when it refuses"`
	Pos     Pos              `yaml:"-"`
}

// Words is a value or a list of values, kept as written.
type Words []any

// Scene is a named list of steps.
type Scene struct {
	ID        string        `yaml:"id" need:"*" doc:"a-z, 0-9 and -"`
	Name      Name          `yaml:"name" need:"*" doc:"as people say it"`
	Area      string        `yaml:"area" enum:"main,system,staff" default:"main" doc:"whose PIN it needs"`
	Hold      time.Duration `yaml:"hold" most:"10s" doc:"how long its button must be held; the server measures it"`
	Steps     []Step        `yaml:"steps" doc:"what happens, in this order"`
	ReverseOf string        `yaml:"reverse_of" doc:"in place of steps: the steps of that scene, each undone, last first"`
	OnFailure string        `yaml:"on_failure" enum:"stop,skip,unwind,ask" default:"stop" doc:"for steps that do not say"`
	OnRestart string        `yaml:"on_restart" enum:"leave,finish,unwind" default:"leave" doc:"what becomes of a run cut off by a power failure"`
	Pos       Pos           `yaml:"-"`
}

// Step is one step of a scene: exactly one of Set, Wait, Pause, Scene and Together.
type Step struct {
	Name     Name             `yaml:"name" doc:"shown while it runs; default the device's name"`
	Set      map[string]any   `yaml:"set" doc:"device.property: value; several are done one after the other, in the order of the devices"`
	Wait     map[string]Words `yaml:"wait" doc:"device.property: value or values to wait for"`
	Pause    time.Duration    `yaml:"pause" most:"24h" doc:"do nothing for a while"`
	Scene    string           `yaml:"scene" doc:"run another scene"`
	Together []Step           `yaml:"together" doc:"steps side by side"`

	After     time.Duration `yaml:"after" most:"1h" doc:"pause before the next step"`
	Within    time.Duration `yaml:"within" most:"24h" default:"10s" doc:"time limit; a set that is refused for a while is tried again until then"`
	Retry     int           `yaml:"retry" least:"0" most:"100" doc:"how often to try again after a failure; default 0"`
	OnFailure string        `yaml:"on_failure" enum:"stop,skip,unwind,ask" doc:"what to do when it fails; default as the scene says"`
	// Undo is nil where the file does not say; an empty list undoes nothing.
	Undo []Step `yaml:"undo" doc:"what undoes the step; default: each on becomes off; []: nothing"`
	Pos  Pos    `yaml:"-"`
}

// Rule makes one thing follow another: when a property changes to a value, while the daemon
// watches. What it finds at start changes nothing.
type Rule struct {
	ID   string           `yaml:"id" need:"*" doc:"a-z, 0-9 and -"`
	Name Name             `yaml:"name" doc:"as people say it; default the id"`
	When map[string]Words `yaml:"when" need:"*" doc:"device.property: value or values that it takes"`
	For  time.Duration    `yaml:"for" most:"24h" doc:"how long it must have kept the value"`
	Set  map[string]any   `yaml:"set" doc:"device.property: value"`
	Run  string           `yaml:"run" doc:"a scene to run"`
	Pos  Pos              `yaml:"-"`
}

// Panel is what people meet.
type Panel struct {
	Pages  []string          `yaml:"pages" doc:"home, lights, curtains, projector, sources, sound, the id of a player, recorder or camera, system; default: all that have something to show"`
	Idle   Idle              `yaml:"idle" doc:"what happens when nobody touches the panel"`
	PINs   map[string]string `yaml:"pins" doc:"main, system, staff: what lectern pin printed, or ${ENV} or file: with it"`
	People []Person          `yaml:"people" doc:"who has a PIN of their own, so that the journal says who"`
	Tokens []Token           `yaml:"tokens" doc:"for machines"`
	Theme  Theme             `yaml:"theme" doc:"how the panel looks"`
	End    string            `yaml:"end" doc:"the scene that ends a meeting; the panel offers it everywhere, and every panel locks after it"`
	// LockedView is never nil in a room that was loaded.
	LockedView *bool    `yaml:"locked_view" default:"true" doc:"whether the state of the room can be read without a PIN or token"`
	Hosts      []string `yaml:"hosts" doc:"names and addresses under which the panel is reached, beside those the machine itself knows"`
	TLS        *TLS     `yaml:"tls" doc:"self, for a certificate that the program makes and keeps in the folder of the room's data; or cert and key; left out: no TLS"`
}

// Person has a PIN of their own.
type Person struct {
	Name  string   `yaml:"name" need:"*" doc:"as the journal shows it"`
	Areas []string `yaml:"areas" doc:"main, system, staff: what the PIN opens; left out: main"`
	PIN   string   `yaml:"pin" need:"*" doc:"what lectern pin printed, or ${ENV} or file: with it"`
	Pos   Pos      `yaml:"-"`
}

// TLS is what the panel shows that it is itself with: a certificate of its own making, or one in files.
type TLS struct {
	Self bool   `yaml:"-"`
	Cert string `yaml:"cert" doc:"path of the certificate, with those between it and the authority"`
	Key  string `yaml:"key" doc:"path of the certificate's key"`
}

// Viewable reports whether the state of the room can be read without a PIN or token.
func (p *Panel) Viewable() bool { return p.LockedView == nil || *p.LockedView }

// Idle is what happens when nobody touches the panel.
type Idle struct {
	Sleep time.Duration `yaml:"sleep" least:"10s" most:"24h" default:"3m" doc:"back to the blue sky"`
	Lock  time.Duration `yaml:"lock" least:"1m" most:"168h" default:"60m" doc:"the main PIN is asked again; not before it sleeps"`
	Dark  time.Duration `yaml:"dark" least:"10s" most:"24h" default:"20m" doc:"from the sky to a dark screen; a touch wakes it to the sky"`
	Area  time.Duration `yaml:"area" least:"10s" most:"24h" default:"5m" doc:"the system PIN is asked again, and staff's where staff is left out; not after the main PIN"`
	Staff time.Duration `yaml:"staff" least:"10s" most:"168h" doc:"the staff PIN is asked again; left out: as area"`
	Most  time.Duration `yaml:"most" least:"10m" most:"168h" default:"12h" doc:"every PIN is asked again, however busy the panel is; never less than lock"`
}

// Token lets a machine in.
type Token struct {
	Name   string `yaml:"name" need:"*" doc:"as the journal shows it"`
	Role   string `yaml:"role" need:"*" enum:"view,operate,system" doc:"what it may: operate what main may, or main and system"`
	Secret string `yaml:"secret" need:"*" doc:"at least 20 characters, from ${ENV} or file:"`
	Pos    Pos    `yaml:"-"`
}

// Theme is how the panel looks.
type Theme struct {
	Mode   string `yaml:"mode" enum:"sky,night" default:"sky" doc:"light or dark"`
	Accent string `yaml:"accent" doc:"#rrggbb, quoted"`
	Logo   string `yaml:"logo" doc:"path of a PNG or SVG, beside the room file"`
}

// Meetings says where the room's meetings are known from and what staff do around them. It needs
// panel.pins.staff, whose area the staff pages are.
type Meetings struct {
	Calendar string        `yaml:"calendar" doc:"http or https address of an iCalendar feed, or the path of an .ics file beside the room file; an address with a key in it comes from ${ENV} or file:. Left out: meetings are entered by hand"`
	Every    time.Duration `yaml:"every" least:"1m" most:"24h" default:"5m" doc:"how often the calendar is asked for"`
	Place    string        `yaml:"place" doc:"of a calendar of many rooms: only meetings whose location has this text"`
	Moved    string        `yaml:"moved" enum:"staff,time" default:"staff" doc:"who moves a meeting through its phases: staff, or the time of the calendar as well"`
	Before   time.Duration `yaml:"before" least:"5m" most:"4h" default:"30m" doc:"how long before its start a meeting that time moves is being prepared"`
	Phases   Phases        `yaml:"phases" doc:"the scene that each phase runs"`
	Prepare  []Name        `yaml:"prepare" doc:"the preparation checklist; left out, that of the service instruction"`
	Closing  []Name        `yaml:"closing" doc:"the closing checklist; left out, that of the service instruction"`
	Tea      time.Duration `yaml:"tea" least:"5m" most:"2h" default:"15m" doc:"how often staff are reminded to pour water while a meeting is in session"`
	Low      int           `yaml:"low" least:"5" most:"40" default:"22" doc:"°C; a temperature below is shown amber"`
	High     int           `yaml:"high" least:"5" most:"40" default:"24" doc:"°C; a temperature above is shown amber"`
	Lamp     int           `yaml:"lamp" least:"100" most:"100000" default:"2000" doc:"hours after which a projector's lamp should be changed"`
}

// Phases name the scenes of the phases of a meeting; where one is left out nothing is run.
type Phases struct {
	Preparing string `yaml:"preparing" doc:"run when the room is being prepared"`
	Session   string `yaml:"session" doc:"run when the meeting begins, and after a break"`
	Break     string `yaml:"break" doc:"run in a break"`
	Ended     string `yaml:"ended" doc:"run when the meeting has ended"`
}

// Facilities is the broker.
type Facilities struct {
	Broker   string `yaml:"broker" doc:"embedded, or tcp://host:1883, or ssl://host:8883; left out: no MQTT"`
	User     string `yaml:"user" doc:"for the broker"`
	Password string `yaml:"password" doc:"from ${ENV} or file:"`
	CA       string `yaml:"ca" doc:"path of the authority's certificate, for ssl"`
	Cert     string `yaml:"cert" doc:"path of this room's own certificate, where the broker asks for one"`
	Key      string `yaml:"key" doc:"path of the certificate's key"`
	Names    string `yaml:"names" enum:"zh,en,both" doc:"the language of the names on the broker; left out: the room's"`
	Users    []User `yaml:"users" doc:"who may use the embedded broker beside the login that it makes up"`
}

// Journal is what is kept of what happened.
type Journal struct {
	Keep time.Duration `yaml:"keep" least:"24h" most:"87600h" default:"8760h" doc:"how long entries are kept, of which there are never more than two million; a day is 24h, a year 8760h"`
}

// User is a login of the embedded broker.
type User struct {
	Name     string `yaml:"name" need:"*" doc:"a-z, 0-9 and -"`
	Password string `yaml:"password" need:"*" doc:"from ${ENV} or file:"`
	Role     string `yaml:"role" enum:"view,operate,equipment" default:"view" doc:"view: reads; operate: sets as well; equipment: has topics of its own, none of the room's"`
}

// Pos is a place in a room file, counted from 1. The zero Pos is nowhere.
type Pos struct{ Line, Column int }
