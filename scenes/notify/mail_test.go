package notify

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http/httptest"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// post is a mail server on a socket, as far as a mail needs one.
type post struct {
	address  string
	ca       string
	security *tls.Config
	offers   []string // beside STARTTLS, once it is private where that is offered
	starttls bool
	implicit bool
	answers  map[string]string // in place of the usual, by the verb

	mu    sync.Mutex
	said  []string // what it was told, with "TLS" where that began
	mails []string
}

// open opens it until the test ends.
func (p *post) open(t *testing.T) *post {
	t.Helper()
	lender := httptest.NewUnstartedServer(nil) // has a certificate for 127.0.0.1
	lender.StartTLS()
	p.security, p.ca = &tls.Config{Certificates: lender.TLS.Certificates}, authority(t, lender)
	lender.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.address = l.Addr().String()
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { defer conn.Close(); p.serve(conn) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return p
}

func (p *post) note(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said = append(p.said, s)
}

func (p *post) serve(conn net.Conn) {
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	private := p.implicit
	if private {
		conn = tls.Server(conn, p.security)
	}
	in := bufio.NewReader(conn)
	say := func(line string) { _, _ = io.WriteString(conn, line+"\r\n") }
	read := func() (string, bool) {
		line, err := in.ReadString('\n')
		return strings.TrimRight(line, "\r\n"), err == nil
	}
	say("220 post")
	for {
		line, ok := read()
		if !ok {
			return
		}
		p.note(line)
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		if answer, has := p.answers[verb]; has && verb != "." {
			say(answer)
			continue
		}
		switch verb {
		case "EHLO":
			offers := append([]string{"post"}, p.offers...)
			if p.starttls && !private {
				offers = []string{"post", "STARTTLS"}
			}
			for i, o := range offers {
				say(fmt.Sprintf("250%s%s", map[bool]string{true: " ", false: "-"}[i == len(offers)-1], o))
			}
		case "STARTTLS":
			say("220 go")
			conn = tls.Server(conn, p.security)
			in, private = bufio.NewReader(conn), true
			p.note("TLS")
		case "AUTH":
			if strings.ToUpper(line) == "AUTH LOGIN" {
				for _, ask := range []string{"Username:", "Password:"} {
					say("334 " + base64.StdEncoding.EncodeToString([]byte(ask)))
					given, _ := read()
					p.note(given)
				}
			}
			say("235 welcome")
		case "DATA":
			say("354 go")
			var text strings.Builder
			for {
				line, ok := read()
				if !ok || line == "." {
					break
				}
				text.WriteString(strings.TrimPrefix(line, ".") + "\r\n")
			}
			if answer, has := p.answers["."]; has {
				say(answer)
				continue
			}
			p.mu.Lock()
			p.mails = append(p.mails, text.String())
			p.mu.Unlock()
			say("250 kept")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

// order is in which order it heard what begins so.
func (p *post) heard(beginnings ...string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range p.said {
		if len(beginnings) > 0 && strings.HasPrefix(line, beginnings[0]) {
			beginnings = beginnings[1:]
		}
	}
	return len(beginnings) == 0
}

func (p *post) mail(t *testing.T, change ...func(*MailConfig)) *Mail {
	t.Helper()
	c := MailConfig{
		Server: p.address, Security: StartTLS, CA: p.ca, User: "hall", Password: "open sesame", From: "会议室 <hall@example.com>",
		To: []string{"staff@example.com", "值班 <duty@example.com>"}, Language: "zh", Zone: time.FixedZone("CST", 8*3600),
	}
	for _, do := range change {
		do(&c)
	}
	m, err := NewMail(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMailGoesByStartTLS(t *testing.T) {
	p := (&post{starttls: true, offers: []string{"8BITMIME", "AUTH LOGIN PLAIN"}}).open(t)
	if err := p.mail(t).Send(t.Context(), sample()); err != nil {
		t.Fatal(err)
	}
	plain := "AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00hall\x00open sesame"))
	if !p.heard("EHLO [127.0.0.1]", "STARTTLS", "TLS", "EHLO", plain, "MAIL FROM:<hall@example.com>", "RCPT TO:<staff@example.com>", "RCPT TO:<duty@example.com>", "DATA", "QUIT") {
		t.Errorf("it was told %q", p.said)
	}
	letter, err := mail.ReadMessage(strings.NewReader(p.mails[0]))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(letter.Header.Get("Subject"))
	if want := "[第一会议室] 新维修单 20261124-01 投影机等2项"; err != nil || subject != want {
		t.Errorf("the subject is %q (%v), not %q", subject, err, want)
	}
	if to, err := letter.Header.AddressList("To"); err != nil || len(to) != 2 || to[1].Name != "值班" {
		t.Errorf("it goes to %v (%v)", to, err)
	}
	if at, err := letter.Header.Date(); err != nil || !at.Equal(sample().Time) || letter.Header.Get("Message-ID") != "<M1@example.com>" || letter.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("%v %v %v", at, err, letter.Header)
	}
	raw, err := io.ReadAll(letter.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := base64.StdEncoding.DecodeString(string(bytes.ReplaceAll(raw, []byte("\r\n"), nil)))
	if err != nil {
		t.Fatal(err)
	}
	const want = `新维修单 20261124-01 · 投影机 · 2026-11-24 15:48
  故障现象：画面偏黄
    第二行
  经办人：王

离线或故障 · 线路bus · 自2026-11-24 15:48
  其上设备：射灯1、spot-2
  供工程人员：no such file

第一会议室
此邮件由会议室控制器自动发出。
`
	if got := strings.ReplaceAll(string(text), "\r\n", "\n"); got != want {
		t.Errorf("it reads\n%s\nand should be\n%s", got, want)
	}
}

func TestMailSpeaksEnglishAndLogsInAsTheServerKnows(t *testing.T) {
	p := (&post{implicit: true, offers: []string{"AUTH LOGIN"}}).open(t)
	m := sample()
	m.Lost, m.More, m.Events = 3, 2, m.Events[1:]
	err := p.mail(t, func(c *MailConfig) { c.Security, c.Language = TLS, "en" }).Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	b := base64.StdEncoding.EncodeToString
	if !p.heard("EHLO", "AUTH LOGIN", b([]byte("hall")), b([]byte("open sesame")), "MAIL") {
		t.Errorf("it was told %q", p.said)
	}
	if got := subject(m, "en"); got != "[Meeting room 1] Down Line bus and 2 more" {
		t.Errorf("the subject is %q", got)
	}
	text := body(m, "en", time.UTC)
	for _, part := range []string{"Down · Line bus · since 2026-11-24 07:48", "With it: Spot 1, spot-2", "2 more; see", "could not be sent: 3"} {
		if !strings.Contains(text, part) {
			t.Errorf("it does not say %q:\n%s", part, text)
		}
	}
}

// Who stands between the room and the server can take the offer of TLS out of what it says.
func TestWithoutTLSNothingIsSaid(t *testing.T) {
	p := (&post{offers: []string{"AUTH PLAIN LOGIN"}}).open(t)
	if err := p.mail(t).Send(t.Context(), sample()); err == nil || !strings.Contains(err.Error(), "STARTTLS") {
		t.Errorf("%v", err)
	}
	stranger := (&post{starttls: true}).open(t)
	if err := stranger.mail(t, func(c *MailConfig) { c.CA = "" }).Send(t.Context(), sample()); err == nil {
		t.Error("a server that nobody vouches for was trusted")
	}
	for _, one := range []*post{p, stranger} {
		if one.heard("AUTH") || one.heard("MAIL") {
			t.Errorf("it was told %q", one.said)
		}
	}
}

func TestAMailServerSaysWhetherToTryAgain(t *testing.T) {
	for _, c := range []struct {
		verb, answer string
		refused      bool
	}{{"AUTH", "535 wrong password", false}, {"MAIL", "550 who are you", false}, {"RCPT", "451 later", false}, {"DATA", "452 full", false}, {".", "451 later", false}, {".", "554 spam", true}} {
		p := (&post{starttls: true, offers: []string{"AUTH PLAIN"}, answers: map[string]string{c.verb: c.answer}}).open(t)
		err := p.mail(t).Send(t.Context(), sample())
		if err == nil || errors.Is(err, ErrRefused) != c.refused || !strings.Contains(err.Error(), c.answer[4:]) || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s %s: %v", c.verb, c.answer, err)
		}
	}
}

func TestAMailServerThatSaysNothingIsLeft(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := &post{address: l.Addr().String()}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.mail(t).Send(ctx, sample()); err == nil {
		t.Error("it went out to nobody")
	}
}

func TestNoHeaderIsMadeOfWhatPeopleWrite(t *testing.T) {
	m := sample()
	m.Events[0].Name.ZH = "投影机\r\nBcc: everybody@example.com"
	p := &post{address: "127.0.0.1:25"}
	letter, err := mail.ReadMessage(bytes.NewReader(p.mail(t).letter(m)))
	if err != nil || letter.Header.Get("Bcc") != "" {
		t.Errorf("%v %v", err, letter)
	}
	if lines := strings.Split(string(p.mail(t).letter(m)), "\r\n"); slices.ContainsFunc(lines, func(s string) bool { return len(s) > 998 }) {
		t.Error("a line is longer than mail may have")
	}
}
