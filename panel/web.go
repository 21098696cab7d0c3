package panel

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"lectern/configs"
)

const bodyMost = 64 << 10

// policy is the content security policy of every page: nothing from elsewhere, no script or style in
// the page itself.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; " +
	"manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// strict is how long a browser that has seen the panel over TLS takes nothing less.
const strict = "max-age=31536000"

// guardWeb refuses what no panel of this room sends, before anything is looked at.
func (s *Server) guardWeb(next http.Handler) http.Handler {
	return guard(s.hosts, s.rates, s.times.body, next)
}

func guard(hosts hosts, rates *rates, body time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		h.Set("Cache-Control", "no-store")
		if r.TLS != nil {
			h.Set("Strict-Transport-Security", strict)
		}
		// Whatever becomes of the request, its body must not hold the connection.
		if r.ContentLength != 0 {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(body))
		}
		if !hosts.has(r.Host) {
			writeProblem(w, problem{
				Status: http.StatusMisdirectedRequest, Title: "Unknown host",
				Detail: "ask by the controller's IP address, its own name or as localhost, or add the name to panel.hosts of the room file", ZH: "请使用控制器的IP地址访问",
			})
			return
		}
		if !reads(r.Method) && crossSite(r) || strings.HasPrefix(r.URL.Path, "/api/") && crossSite(r) {
			writeProblem(w, problem{Status: http.StatusForbidden, Title: "Request from another site", Detail: "the API and its commands are for this panel's own pages", ZH: "只接受本面板页面发出的命令"})
			return
		}
		if !rates.allow(sender(r), time.Now()) {
			writeProblem(w, problem{Status: http.StatusTooManyRequests, Title: "Too many requests", Detail: "this address asks more often than any panel does", ZH: "请稍候", RetryAfter: 1})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, bodyMost)
		next.ServeHTTP(w, r)
	})
}

func reads(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// hosts are the names that this server has. Another name may be a site whose address was made to point
// here, so that its scripts look like ours (DNS rebinding). An IP address is no name that can be made to
// point elsewhere, and a controller behind a router has more of them than it knows.
type hosts map[string]bool

func newHosts(p *configs.Panel) hosts {
	h := hosts{"localhost": true}
	if name, err := os.Hostname(); err == nil {
		h.add(name)
		first, _, _ := strings.Cut(name, ".")
		h.add(first)
		h.add(first + ".local") // as the machine announces itself by mDNS
	}
	for _, name := range p.Hosts {
		h.add(name)
	}
	return h
}

func (h hosts) add(name string) {
	if name = strings.TrimSuffix(strings.ToLower(name), "."); name != "" {
		h[name] = true
	}
}

// has reports whether a Host header is one of this server's.
func (h hosts) has(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return h[host] || net.ParseIP(strings.Trim(host, "[]")) != nil
}

// crossSite reports whether a browser says that another site sent the request.
func crossSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return true
	}
	origin := r.Header.Get("Origin")
	// Without TLS here there may be TLS in front of it.
	return origin != "" && origin != "https://"+r.Host && (r.TLS != nil || origin != "http://"+r.Host)
}

// origin is where a request comes from.
type origin struct {
	address  string // as the journal names it
	family   string // what one person has: an IPv4 address, or the 64 bits of a network that IPv6 gives to each
	loopback bool   // from this machine itself, and not passed on by a proxy
}

func sender(r *http.Request) origin {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return origin{address: r.RemoteAddr, family: r.RemoteAddr}
	}
	a := at.Addr().Unmap().WithZone("")
	o := origin{address: a.String(), family: a.String()}
	if a.Is6() && !a.IsLoopback() {
		if network, err := a.Prefix(64); err == nil {
			o.family = network.String()
		}
	}
	if a.IsLoopback() {
		o.loopback = r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == "" && r.Header.Get("X-Real-IP") == ""
	}
	return o
}
