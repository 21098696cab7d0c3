package script

import "time"

// Protocol is how some equipment is spoken to, as a room file describes it.
type Protocol struct {
	ID       string             `yaml:"id" doc:"a-z, 0-9 and -; devices name it in their settings"`
	About    string             `yaml:"about" doc:"where its facts come from: the manual, its edition, the page"`
	Bus      string             `yaml:"bus" doc:"for equipment that shares its line: the name of the bus. Devices with protocols of one bus share a line; rs485 is that of Modbus and the curtain motors"`
	Frame    *Frame             `yaml:"frame" doc:"how what comes is cut into replies; may be left out on a bus with hex replies, and where nothing answers"`
	Pause    time.Duration      `yaml:"pause" doc:"silence to keep after each command (at most 10s)"`
	Timeout  time.Duration      `yaml:"timeout" doc:"how long a reply may take (at most 5m); default 1s"`
	Defaults map[string]string  `yaml:"defaults" doc:"arguments of its placeholders, where a device gives none"`
	Greet    []Step             `yaml:"greet" doc:"what is said on every new connection before anything else, such as a login"`
	Commands map[string]Message `yaml:"commands" doc:"what is sent, by the name of the command"`
	Queries  map[string]Query   `yaml:"queries" doc:"what asks for the state, by any name"`
	Values   map[string]Value   `yaml:"values" doc:"what the values on the wire mean, by the name of the value"`
	Errors   []Refused          `yaml:"errors" doc:"replies that are a no, whatever was asked"`
	Unasked  []Heard            `yaml:"unasked" doc:"what the equipment says by itself and that makes asking worth while"`
	Lamp     *Lamp              `yaml:"lamp" doc:"for a projector that says on and off and nothing between"`
	Faults   []Fault            `yaml:"faults" doc:"words for the codes of a projector's value fault"`
}

// Frame says how the stream is cut. It has one of end, length and size_at.
type Frame struct {
	End    string `yaml:"end" doc:"text that ends each reply"`
	EndHex string `yaml:"end_hex" doc:"the same in hex"`
	Start  string `yaml:"start" doc:"hex that begins each reply; what stands before it is noise. Needed with length and size_at"`
	Length int    `yaml:"length" doc:"bytes of every reply"`
	SizeAt int    `yaml:"size_at" doc:"which byte of a reply, counted from 1, holds a length"`
	More   int    `yaml:"more" doc:"how many bytes a reply has beside that length"`
}

// Message is something that is sent, and what acknowledges it.
type Message struct {
	Send     string        `yaml:"send" doc:"text to send, with \\r \\n \\t \\xNN \\\\ \\{ and placeholders"`
	Hex      string        `yaml:"hex" doc:"bytes to send in hex, with placeholders"`
	Reply    string        `yaml:"reply" doc:"RE2 pattern of the whole reply, without its end; left out with reply_hex: nothing answers"`
	ReplyHex string        `yaml:"reply_hex" doc:"the reply in hex, with placeholders and ?? for any byte"`
	Timeout  time.Duration `yaml:"timeout" doc:"default that of the protocol"`
	Pause    time.Duration `yaml:"pause" doc:"default that of the protocol"`
}

// Query is something that is asked. Its reply gives values.
type Query struct {
	Send     string            `yaml:"send" doc:"as in commands"`
	Hex      string            `yaml:"hex" doc:"as in commands"`
	Reply    string            `yaml:"reply" doc:"as in commands; a group (?P<power>...) gives the value power"`
	ReplyHex string            `yaml:"reply_hex" doc:"as in commands; {power} gives the value power"`
	Take     map[string]string `yaml:"take" doc:"value: the group it is taken from, where that has another name; such as power: c{channel}"`
	Timeout  time.Duration     `yaml:"timeout" doc:"default that of the protocol"`
	Pause    time.Duration     `yaml:"pause" doc:"default that of the protocol"`
}

// Value is what a value on the wire means.
type Value struct {
	Words  map[string]string `yaml:"words" doc:"on the wire: what it means; several may mean the same"`
	Scale  []int             `yaml:"scale" doc:"the numbers on the wire that mean 0 and 100"`
	Base   int               `yaml:"base" doc:"10 or 16: the text is a number written so; 01 and 1 are then the same"`
	Signed bool              `yaml:"signed" doc:"a hex number with its highest bit set is below 0"`
}

// Lamp is how long a lamp takes to come and go, where the projector does not say.
type Lamp struct {
	Warming time.Duration `yaml:"warming" doc:"how long it warms up (at most 10m)"`
	Cooling time.Duration `yaml:"cooling" doc:"how long it is hot after the projector says off (at most 10m); 0s where it may lose its mains at once"`
}

// Step is one step of a greeting.
type Step struct {
	Send     string        `yaml:"send" doc:"as in commands; left out with hex: only wait for the reply"`
	Hex      string        `yaml:"hex" doc:"as in commands"`
	Reply    string        `yaml:"reply" doc:"as in commands"`
	ReplyHex string        `yaml:"reply_hex" doc:"as in commands"`
	Timeout  time.Duration `yaml:"timeout" doc:"default that of the protocol"`
	Only     string        `yaml:"only" doc:"serial or tcp: the kind of line that needs the step"`
	Optional bool          `yaml:"optional" doc:"go on where no reply comes"`
	Secret   bool          `yaml:"secret" doc:"keep it out of the trace: a password"`
}

// Refused is a reply that is a no.
type Refused struct {
	Reply    string `yaml:"reply" doc:"as in commands; a group code is its code"`
	ReplyHex string `yaml:"reply_hex" doc:"as in commands"`
	Code     string `yaml:"code" doc:"its code, where the reply has none"`
	Busy     bool   `yaml:"busy" doc:"asking again later may help"`
	ZH       string `yaml:"zh" doc:"what people are told, in Chinese"`
	EN       string `yaml:"en" doc:"what people are told, in English"`
}

// Heard is something that equipment says by itself.
type Heard struct {
	Reply    string `yaml:"reply" doc:"as in commands"`
	ReplyHex string `yaml:"reply_hex" doc:"as in commands"`
}

// Fault is a fault of the equipment in words.
type Fault struct {
	Code string `yaml:"code" doc:"as the value fault has it"`
	ZH   string `yaml:"zh" doc:"in Chinese"`
	EN   string `yaml:"en" doc:"in English"`
}

// Bounds of a protocol. They are far beyond what a manual needs and keep a room file from costing
// anything to load.
const (
	textMost    = 512 // bytes of a template or pattern, and of what is sent
	listMost    = 64  // members of a list or table
	wordMost    = 128 // bytes of an argument or word
	pauseMost   = 10 * time.Second
	timeoutMost = 5 * time.Minute
	lengthMost  = 1024 // bytes of a fixed frame
)
