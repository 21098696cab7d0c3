package configs

import "time"

// Staff says who is told, outside the room, of repair orders and of equipment that is down.
type Staff struct {
	Down    time.Duration `yaml:"down" least:"30s" most:"24h" default:"5m" doc:"how long a device or a line must have been down before anybody is told"`
	Webhook *Webhook      `yaml:"webhook" doc:"a machine that is told, in JSON by POST"`
	Mail    *Mail         `yaml:"mail" doc:"people who are told by mail"`
}

// Webhook is a machine that messages are posted to.
type Webhook struct {
	URL    string `yaml:"url" need:"*" doc:"http or https address; one with a key in it comes from ${ENV} or file:. Redirects are not followed"`
	Secret string `yaml:"secret" doc:"at least 20 characters, from ${ENV} or file:; what is posted is signed with it, by HMAC-SHA256 in X-Lectern-Signature"`
	CA     string `yaml:"ca" doc:"path of the authority's certificate, where the machine does not trust it already"`
}

// Mail is a mail server and who gets mail by it.
type Mail struct {
	Server   string   `yaml:"server" need:"*" doc:"host:port; mostly 587 with starttls, 465 with tls"`
	Security string   `yaml:"security" enum:"starttls,tls,none" default:"starttls" doc:"how the connection is kept from others; where the server does not offer it nothing is sent"`
	CA       string   `yaml:"ca" doc:"path of the authority's certificate, where the machine does not trust it already"`
	User     string   `yaml:"user" doc:"login at the server"`
	Password string   `yaml:"password" doc:"from ${ENV} or file:"`
	From     string   `yaml:"from" need:"*" doc:"the sender: hall@example.com, or \"Hall <hall@example.com>\""`
	To       []string `yaml:"to" need:"*" doc:"who gets it, 20 at most"`
	Language string   `yaml:"language" enum:"zh,en" doc:"of the text; left out: the room's"`
}
