package journal

import (
	"bytes"
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"
)

// csvHeader names the columns of a CSV export.
var csvHeader = []string{
	"seq", "time", "via", "who", "from", "device", "property", "value", "scene", "run", "step", "line", "unit", "outcome", "detail", "took_ms",
}

// CSV writes entries as RFC 4180 has it. It begins with a byte order mark, without which Excel takes
// Chinese for something else. Times are in the zone of the times given.
type CSV struct {
	to    io.Writer
	begun bool
}

// NewCSV makes a writer of CSV.
func NewCSV(to io.Writer) *CSV { return &CSV{to: to} }

// Write writes entries, with the header before the first. It writes whole pages at a time.
func (c *CSV) Write(entries []Entry) error {
	var page bytes.Buffer
	w := csv.NewWriter(&page)
	w.UseCRLF = true
	if !c.begun {
		page.WriteString("\ufeff")
		_ = w.Write(csvHeader) // to memory
		c.begun = true
	}
	for _, e := range entries {
		step := ""
		if e.Step > 0 {
			step = strconv.Itoa(e.Step)
		}
		row := []string{
			"", "", e.By.Via, e.By.Name, e.By.From, e.Device, e.Property, e.Value, e.Scene, e.Run, step, e.Line, e.Unit, e.Outcome, e.Detail, "",
		}
		for i := range row {
			row[i] = harmless(row[i])
		}
		row[0], row[1] = strconv.FormatUint(e.Seq, 10), e.Time.Format("2006-01-02T15:04:05.000Z07:00")
		row[len(row)-1] = strconv.FormatFloat(float64(e.Took)/float64(time.Millisecond), 'f', 1, 64)
		_ = w.Write(row) // to memory
	}
	w.Flush()
	_, err := c.to.Write(page.Bytes())
	return err //nolint:wrapcheck // the caller knows where it writes to
}

// harmless keeps a spreadsheet from taking what somebody wrote for a formula.
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
