package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"slices"
	"strings"
	"time"
)

// How a connection to a mail server is kept from others.
const (
	StartTLS = "starttls"
	TLS      = "tls"
	Clear    = "none"
)

// MailConfig is a mail server and who gets mail by it.
type MailConfig struct {
	Server   string // host:port
	Security string // StartTLS, TLS or Clear
	CA       string // as NewWebhook has it
	User     string // empty for no login
	Password string
	From     string
	To       []string
	Language string // zh or en
	Zone     *time.Location
}

// Mail sends messages as mail.
type Mail struct {
	MailConfig
	host     string
	security *tls.Config
	from     *mail.Address
	to       []*mail.Address
}

// NewMail makes a target of a mail server.
func NewMail(c MailConfig) (*Mail, error) {
	host, _, err := net.SplitHostPort(c.Server)
	if err != nil {
		return nil, fmt.Errorf("making the mail: %w", err)
	}
	m := &Mail{MailConfig: c, host: host}
	if m.security, err = security(c.CA); err != nil {
		return nil, err
	}
	m.security.ServerName = host
	if m.from, err = mail.ParseAddress(c.From); err != nil {
		return nil, fmt.Errorf("making the mail: the sender: %w", err)
	}
	for _, to := range c.To {
		a, err := mail.ParseAddress(to)
		if err != nil {
			return nil, fmt.Errorf("making the mail: a receiver: %w", err)
		}
		m.to = append(m.to, a)
	}
	return m, nil
}

// Place implements Target.
func (m *Mail) Place() string { return "mail " + m.Server }

// Send implements Target.
func (m *Mail) Send(ctx context.Context, message Message) error {
	if err := m.send(ctx, message); err != nil {
		return fmt.Errorf("sending mail by %s: %w", m.Server, err)
	}
	return nil
}

func (m *Mail) send(ctx context.Context, message Message) error {
	c, err := m.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := m.login(c); err != nil {
		return err
	}
	if err := c.Mail(m.from.Address); err != nil {
		return fmt.Errorf("the sender: %w", err)
	}
	for _, to := range m.to {
		if err := c.Rcpt(to.Address); err != nil {
			return fmt.Errorf("the receiver %s: %w", to.Address, err)
		}
	}
	w, err := c.Data()
	if err != nil {
		return fmt.Errorf("the text: %w", err)
	}
	if _, err := w.Write(m.letter(message)); err != nil {
		return fmt.Errorf("the text: %w", err)
	}
	if err := w.Close(); err != nil {
		if said := new(textproto.Error); errors.As(err, &said) && said.Code >= 500 {
			return fmt.Errorf("the text: %w: %w", ErrRefused, err)
		}
		return fmt.Errorf("the text: %w", err)
	}
	_ = c.Quit() // it has the mail
	return nil
}

// connect opens a connection that ends with ctx, and makes it private where it is to be.
func (m *Mail) connect(ctx context.Context) (*smtp.Client, error) {
	wire, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.Server)
	if err != nil {
		return nil, err //nolint:wrapcheck // Send says what it was doing
	}
	context.AfterFunc(ctx, func() { _ = wire.SetDeadline(time.Unix(1, 0)) })
	conn := wire
	if m.Security == TLS {
		conn = tls.Client(wire, m.security)
	}
	c, err := smtp.NewClient(conn, m.host)
	if err == nil {
		err = c.Hello(literal(wire.LocalAddr()))
	}
	if err != nil {
		return nil, errors.Join(err, wire.Close())
	}
	if m.Security != StartTLS {
		return c, nil
	}
	// Who stands between could take the offer away: without it nothing is said.
	if offered, _ := c.Extension("STARTTLS"); !offered {
		return nil, errors.Join(errors.New("it does not offer STARTTLS; security in the room file says what to do about it"), c.Close())
	}
	if err := c.StartTLS(m.security); err != nil {
		return nil, errors.Join(fmt.Errorf("beginning TLS: %w", err), c.Close())
	}
	return c, nil
}

// literal is how a machine without a name in the world greets a mail server: by its address.
func literal(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	switch {
	case err != nil:
		return "localhost"
	case strings.Contains(host, ":"):
		address, _, _ := strings.Cut(host, "%")
		return "[IPv6:" + address + "]"
	}
	return "[" + host + "]"
}

// login says who sends, in the way that the server knows.
func (m *Mail) login(c *smtp.Client) error {
	if m.User == "" {
		return nil
	}
	_, ways := c.Extension("AUTH")
	auth := smtp.PlainAuth("", m.User, m.Password, m.host)
	if known := strings.Fields(strings.ToUpper(ways)); !slices.Contains(known, "PLAIN") && slices.Contains(known, "LOGIN") {
		auth = &login{plain: auth, user: m.User, password: m.Password}
	}
	if err := c.Auth(auth); err != nil {
		return fmt.Errorf("logging in: %w", err)
	}
	return nil
}

// login is the way LOGIN, which some large servers know alone.
type login struct {
	plain          smtp.Auth
	user, password string
}

// Start implements smtp.Auth. PLAIN knows to whom a password may be said.
func (l *login) Start(server *smtp.ServerInfo) (string, []byte, error) {
	if _, _, err := l.plain.Start(server); err != nil {
		return "", nil, err //nolint:wrapcheck // the caller says what it was doing
	}
	return "LOGIN", nil, nil
}

// Next implements smtp.Auth.
func (l *login) Next(asked []byte, more bool) ([]byte, error) {
	switch {
	case !more:
		return nil, nil
	case strings.HasPrefix(strings.ToLower(string(asked)), "user"):
		return []byte(l.user), nil
	case strings.HasPrefix(strings.ToLower(string(asked)), "pass"):
		return []byte(l.password), nil
	}
	return nil, errors.New("it asks for something that is neither user nor password")
}

// letter is a message as it goes over the wire.
func (m *Mail) letter(message Message) []byte {
	var out bytes.Buffer
	to := make([]string, len(m.to))
	for i, a := range m.to {
		to[i] = a.String()
	}
	_, domain, _ := strings.Cut(m.from.Address, "@")
	for _, h := range [][2]string{
		{"From", m.from.String()}, {"To", strings.Join(to, ",\r\n ")},
		{"Subject", mime.BEncoding.Encode("utf-8", subject(message, m.Language))},
		{"Date", message.Time.In(m.Zone).Format(time.RFC1123Z)}, {"Message-ID", "<" + message.ID + "@" + domain + ">"},
		{"Auto-Submitted", "auto-generated"}, {"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"}, {"Content-Transfer-Encoding", "base64"},
	} {
		fmt.Fprintf(&out, "%s: %s\r\n", h[0], h[1])
	}
	out.WriteString("\r\n")
	for text := base64.StdEncoding.EncodeToString([]byte(body(message, m.Language, m.Zone))); text != ""; {
		line := text[:min(76, len(text))]
		text = text[len(line):]
		out.WriteString(line + "\r\n")
	}
	return out.Bytes()
}
