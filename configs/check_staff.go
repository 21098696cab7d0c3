package configs

import (
	"fmt"
	"net"
	"net/mail"
	"net/url"
)

// receiversMost bounds who gets mail: more than that is a list, which the mail server keeps better.
const receiversMost = 20

// staff checks who is told outside the room.
func (c *checker) staff() {
	p, s := path("/staff"), &c.room.Staff
	if c.bad(p) {
		return
	}
	if here := p.key("webhook"); s.Webhook != nil && !c.bad(here) {
		c.webhook(s.Webhook, here)
	}
	if here := p.key("mail"); s.Mail != nil && !c.bad(here) {
		c.mail(s.Mail, here)
	}
}

// webhook checks an address, which is not shown: that of many a webhook is its key.
func (c *checker) webhook(w *Webhook, p path) {
	if here := p.key("url"); c.usable(here) {
		if address, ok := c.secret(w.URL, here); ok {
			w.URL = address
			if u, err := url.Parse(address); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
				c.fault(c.value(here), c.owned(here)+" is no address that can be posted to", "write https://host/path, without a login in it; secret is for that")
			} else if u.Scheme == "http" && !loopback(u.Hostname()) {
				c.warn(c.value(here), c.owned(here)+" is plain http: who listens on the network reads what staff write, and can change it", "write https://, with ca where the authority is the building's own")
			}
		}
	}
	if here := p.key("secret"); c.usable(here) {
		if !refers(w.Secret) {
			c.fault(c.value(here), c.owned(here)+" is written in clear", "take it from ${NAME} or file:PATH, so that the room file can be shown")
		} else if secret, ok := c.secret(w.Secret, here); ok {
			if w.Secret = secret; len(secret) < secretLeast {
				c.fault(c.value(here), fmt.Sprintf("%s has %d characters, which can be guessed", c.owned(here), len(secret)), fmt.Sprintf("take at least %d random ones, such as openssl rand -hex 20 writes", secretLeast))
			}
		}
	}
	w.CA = c.file(p.key("ca"), w.CA)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// mail checks a mail server and the addresses.
func (c *checker) mail(m *Mail, p path) {
	host := ""
	if here := p.key("server"); c.usable(here) {
		if why := address(m.Server); why != "" {
			c.fault(c.value(here), fmt.Sprintf("%s is %s: %s", c.owned(here), shown(m.Server), why), "write it like smtp.example.com:587")
		} else {
			host, _, _ = net.SplitHostPort(m.Server)
		}
	}
	if here := p.key("from"); c.usable(here) {
		c.mailAddress(m.From, here, c.owned(here))
	}
	if here := p.key("to"); c.usable(here) {
		if n := len(m.To); n == 0 || n > receiversMost {
			c.fault(c.value(here), fmt.Sprintf("%s has %d addresses", c.owned(here), n), fmt.Sprintf("give 1 to %d", receiversMost))
		}
		for i, to := range m.To {
			if one := here.at(i); !c.bad(one) {
				c.mailAddress(to, one, c.owned(here))
			}
		}
	}
	m.CA = c.file(p.key("ca"), m.CA)
	c.password(p, &m.Password)
	if c.has(p.key("user")) != c.has(p.key("password")) {
		c.fault(c.value(p), c.describe(p)+" has one of user and password", "a login is both; leave both out where the server asks for none")
	}
	if here := p.key("security"); m.Security == "none" && host != "" && !loopback(host) {
		if c.has(p.key("password")) {
			c.fault(c.value(here), "the password of the mail would go over the network in clear", "leave security out, or take user and password away")
		} else {
			c.warn(c.value(here), "mail goes to "+host+" in clear: who listens on the network reads what staff write", "leave security out where the server offers STARTTLS")
		}
	}
}

func (c *checker) mailAddress(s string, p path, owned string) {
	if _, err := mail.ParseAddress(s); err != nil {
		c.fault(c.value(p), fmt.Sprintf("%s has %s, which is no mail address", owned, shown(s)), `write hall@example.com, or "Hall <hall@example.com>"`)
	}
}
