package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestStaffFormsAreTakenFromTheirOwnPagesOnly(t *testing.T) {
	h := demo(t)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	ask := func(method, path, form, cookie string, headers ...string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequest(method, h.url+path, strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Cookie", cookie)
		for i := 0; i+1 < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		b, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer, string(b)
	}
	for _, path := range []string{"/staff", "/staff/health", "/staff/orders", "/staff/orders.csv", "/staff/records", "/staff/month", "/staff/check"} {
		if answer, body := ask("GET", path, "", ""); answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(answer.Header.Get("Location"), "/staff/enter") {
			t.Errorf("a stranger at %s gets %d %.80s", path, answer.StatusCode, body)
		}
	}
	if answer, body := ask("POST", "/staff/enter", "pin=0000", ""); answer.StatusCode != http.StatusUnauthorized || !strings.Contains(body, "还可试4次") {
		t.Errorf("a wrong PIN gets %d %s", answer.StatusCode, body)
	}
	answer, _ := ask("POST", "/staff/enter", "pin=2468&to=https://elsewhere.example/", "")
	if answer.Header.Get("Location") != "/staff" {
		t.Errorf("it sends people to %q", answer.Header.Get("Location"))
	}
	cookie := strings.SplitN(answer.Header.Get("Set-Cookie"), ";", 2)[0]
	_, page := ask("GET", "/staff/orders", "", cookie)
	_, rest, _ := strings.Cut(page, `name="mark" value="`)
	mark, _, _ := strings.Cut(rest, `"`)
	order := "who=A&symptom=x"
	if answer, _ := ask("POST", "/staff/orders", order, cookie); answer.StatusCode != http.StatusForbidden {
		t.Errorf("a form without a mark: %d", answer.StatusCode)
	}
	if answer, _ := ask("POST", "/staff/orders", order+"&mark="+mark, cookie, "Origin", "http://elsewhere.example"); answer.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site: %d", answer.StatusCode)
	}
	if answer, _ := ask("POST", "/staff/orders", order+"&mark="+mark, ""); answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(answer.Header.Get("Location"), "/staff/enter") {
		t.Errorf("a form of a stranger: %d", answer.StatusCode)
	}
	if answer, body := ask("POST", "/staff/orders", "who=A&symptom=%3Dcmd%7C1&mark="+mark, cookie); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("a right form: %d %s", answer.StatusCode, body)
	}
	if _, sheet := ask("GET", "/staff/orders.csv", "", cookie); !strings.Contains(sheet, "'=cmd|1") {
		t.Errorf("a spreadsheet would run what a person wrote: %s", sheet)
	}
	// Someone with the main PIN alone is not staff.
	answer, _ = ask("POST", "/api/v1/session", `{"pin":"1234","area":"main"}`, "", "Content-Type", "application/json")
	main := strings.SplitN(answer.Header.Get("Set-Cookie"), ";", 2)[0]
	if answer, _ := ask("GET", "/staff", "", main); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("the main PIN opens the staff pages: %d", answer.StatusCode)
	}
}
