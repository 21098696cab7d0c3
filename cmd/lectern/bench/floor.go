package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/goburrow/modbus"
)

// Floor is the least that a press can cost: an HTTP handler, or an MQTT handler where a broker is named, that
// calls the Modbus library and then writes to the panels that follow, if any, and does nothing else. It checks nothing
// and remembers nothing. It serves until ctx ends, and says on out where.
func Floor(ctx context.Context, slave, broker string, out io.Writer) error {
	handler := modbus.NewTCPClientHandler(slave)
	handler.SlaveId, handler.Timeout = 1, time.Second
	if err := handler.Connect(); err != nil {
		return fmt.Errorf("the floor: %w", err)
	}
	defer handler.Close()
	client := modbus.NewClient(handler)
	turn := make(chan struct{}, 1) // the library's connection is for one at a time
	write := func(coil uint16, on bool) error {
		turn <- struct{}{}
		defer func() { <-turn }()
		_, err := client.WriteSingleCoil(coil, map[bool]uint16{true: 0xFF00}[on])
		return err //nolint:wrapcheck // the library's own
	}
	if broker != "" {
		c := paho.NewClient(paho.NewClientOptions().AddBroker(broker).SetClientID("floor").SetAutoReconnect(false))
		if t := c.Connect(); t.Wait() && t.Error() != nil {
			return fmt.Errorf("the floor: %w", t.Error())
		}
		defer c.Disconnect(100)
		t := c.Subscribe("floor/+/set", 1, func(_ paho.Client, m paho.Message) {
			coil, err := strconv.ParseUint(strings.Split(m.Topic(), "/")[1], 10, 16)
			if err == nil {
				_ = write(uint16(coil), string(m.Payload()) == "true")
			}
		})
		if t.Wait() && t.Error() != nil {
			return fmt.Errorf("the floor: %w", t.Error())
		}
	}
	all := audience{panels: make(map[chan []byte]bool)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/devices/{device}/power", func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Value bool }
		coil, err := strconv.ParseUint(strings.TrimPrefix(r.PathValue("device"), "light-"), 10, 16)
		if err = errors.Join(err, json.NewDecoder(io.LimitReader(r.Body, 1<<10)).Decode(&body)); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := write(uint16(coil), body.Value); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		all.tell(r.PathValue("device"), body.Value)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintln(w, `{"outcome":"done"}`)
	})
	mux.HandleFunc("GET /api/v1/events", all.follow)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("the floor: %w", err)
	}
	fmt.Fprintf(out, "floor: http://%s\n", listener.Addr())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	over := make(chan error, 1)
	go func() { over <- server.Serve(listener) }()
	<-ctx.Done()
	_ = server.Close()
	<-over
	return nil
}

// audience are the panels that follow the floor: each has a goroutine that writes to it what it is given, no more.
type audience struct {
	mu     sync.Mutex
	panels map[chan []byte]bool
}

// tell gives every panel an event that is as long as a room's.
func (a *audience) tell(device string, on bool) {
	const event = "id: 1000\nevent: changes\ndata: {\"revision\":1000,\"full\":false,\"properties\":[{\"device\":%q,\"property\":\"power\",\"value\":%t,\"quality\":\"reported\",\"seen\":%q,\"since\":%[3]q}]}\n\n"
	text := fmt.Appendf(nil, event, device, on, time.Now().Format(time.RFC3339Nano))
	a.mu.Lock()
	defer a.mu.Unlock()
	for p := range a.panels {
		select {
		case p <- text:
		default: // it has gone, or misses this one
		}
	}
}

func (a *audience) follow(w http.ResponseWriter, r *http.Request) {
	mine := make(chan []byte, 64)
	a.mu.Lock()
	a.panels[mine] = true
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.panels, mine)
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	for text := []byte("event: snapshot\ndata: {}\n\n"); ; {
		if _, err := w.Write(text); err != nil || control.Flush() != nil {
			return
		}
		select {
		case text = <-mine:
		case <-r.Context().Done():
			return
		}
	}
}
