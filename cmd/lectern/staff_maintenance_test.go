package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"lectern/configs"
	messages "lectern/scenes/notify"
)

// Staff say that the room is worked on: a fault opens no order, a person who asks for help does, everybody
// concerned sees it, and a restart forgets nothing of it.
func TestInMaintenanceAFaultIsNoNewsAndAPersonIs(t *testing.T) {
	t.Parallel()
	onTablets(t, func(t *testing.T, h *house, p *glass, s screen) {
		p.goes("/staff/health", "health")
		p.tap("[data-do=work]")
		p.sees("body.maintenance")
		day := eval[string](p, "document.querySelector('[name=until]').value.slice(0, 10)")
		p.types("[name=note]", "换线缆 new cables")
		p.types("[name=until]", "2001-01-01T10:00")
		p.types("[name=who]", "WM")
		eval[bool](p, "document.querySelector('form.fields').noValidate = true")
		p.tap("[data-do=work]")
		p.reads("[role=alert]", speaks(s, "7天以内", "within 7 days"))
		if kept := eval[string](p, "document.querySelector('[name=note]').value"); kept != "换线缆 new cables" {
			t.Errorf("of what was written is left %q", kept)
		}
		p.types("[name=until]", day+"T23:30")
		p.tap("[data-do=work]")
		p.sees("body.health")
		p.reads(".banner.work", speaks(s, "维护中，至"+day+" 23:30，WM：换线缆", "Maintenance until "+day+" 23:30, WM: 换线缆"))
		p.goes("/staff", "today")
		p.sees(".banner.work")

		h.fault("temperature", "silent-unit-5")
		checks(p, "temperature")
		p.reads(`[data-found="temperature"].bad`, speaks(s, "故障", "Failed"))
		p.reads("main", speaks(s, "没有开维修单", "no repair orders were opened"))
		if status, body := h.call(http.MethodPost, "/api/v1/orders", `{"symptom":"help"}`); status != http.StatusCreated {
			t.Errorf("a call for help: %d %s", status, body)
		}
		p.goes("/staff/orders", "orders")
		p.until("only the person's order is there", "document.querySelectorAll('[data-order]').length === 1")
		p.reads("[data-order]", "help")

		h.fault("temperature", "")
		h.stop()
		h.start()
		w := hang(t, p.ctx, h.url, screen{1024, 600, s.language, ""})
		w.unlock()
		w.system()
		w.touch("[data-tab=health]")
		w.reads("[data-maintenance]", speaks(s, "故障不自动报修", "faults are not reported by themselves"))
		if _, told := h.call(http.MethodGet, "/api/v1/journal?most=500", ""); !strings.Contains(told, "maintenance begun") || !strings.Contains(told, "new cables") {
			t.Errorf("the journal does not tell of it: %s", told)
		}

		p = hang(t, p.ctx, h.url+"/staff", s)
		p.enterStaff()
		p.sees(".banner.work")
		p.goes("/staff/health", "health")
		p.tap("[data-do=work]")
		p.types("[name=who]", "LL")
		p.tap("[data-do=work-end]")
		p.sees("body.health")
		p.misses(".banner.work")
		w.misses("[data-maintenance]")
		h.fault("temperature", "silent-unit-5")
		checks(p, "temperature")
		p.sees(`[data-found="temperature"].bad a[href^="/staff/orders/"]`)
	})
}

// A machine of the help desk is told of an order, signed; when it fails the tablet says so, and when it is
// back it gets what it missed.
func TestTheHelpDeskIsToldOfOrders(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdefghijklmnop"
	var (
		mu    sync.Mutex
		fails bool
		told  []messages.Event
	)
	desk := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, err := io.ReadAll(r.Body)
		sum := hmac.New(sha256.New, []byte(secret))
		sum.Write(body)
		var m messages.Message
		switch {
		case err != nil, json.Unmarshal(body, &m) != nil, r.Header.Get(messages.SignatureHeader) != "sha256="+hex.EncodeToString(sum.Sum(nil)):
			t.Errorf("it gets %s %v", body, r.Header)
		case fails:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			told = append(told, m.Events...)
		}
	}))
	defer desk.Close()
	in := browser(t)
	s := tablets[1]
	h, p := served(t, in, s, func(r *configs.Room) {
		r.Staff.Webhook = &configs.Webhook{URL: desk.URL + "/key", Secret: secret}
	})
	heard := func(kind string) {
		t.Helper()
		h.until("the desk hears of "+kind, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(told) > 0 && told[len(told)-1].Kind == kind && told[len(told)-1].Device == "projector" && told[len(told)-1].Name.EN == "Projector"
		})
	}
	reports(p, "yellow picture", "projector")
	heard(messages.OrderOpened)
	mu.Lock()
	fails = true
	mu.Unlock()
	p.types("[name=to]", "Zhang")
	p.tap("[value=assigned]")
	p.reads("h1 .chip", "Assigned")
	h.until("the tablet says that it fails", func() bool {
		return strings.Contains(fetched(p, h.url, "/staff/health"), "it answers 503")
	})
	p.goes("/staff/health", "health")
	p.reads("[data-notices].bad", "Waiting: 1")
	if text := eval[string](p, "document.body.innerText"); strings.Contains(text, "/key") || strings.Contains(text, secret) {
		t.Errorf("the page shows what is secret: %s", text)
	}
	mu.Lock()
	fails = false
	mu.Unlock()
	heard(messages.OrderAnswered)
}
