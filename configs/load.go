package configs

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"reflect"
)

// Load reads a room file and checks all of it. The error is of type Faults and has everything that
// is wrong; the room is nil then. Env looks up environment variables, as os.LookupEnv does; it and
// files are asked only for secrets. Defaults are filled in.
func Load(path string, cat Catalogue, env func(string) (string, bool)) (*Room, error) {
	room, faults, _ := load(path, cat, env)
	if len(faults) > 0 {
		return nil, faults
	}
	return room, nil
}

// Parse checks a room file that is already in memory, as Load does. Paths in it are relative to the
// folder of name, which stands in faults as the file's name.
func Parse(name string, data []byte, cat Catalogue, env func(string) (string, bool)) (*Room, error) {
	room, faults, _ := parse(name, data, cat, env)
	if len(faults) > 0 {
		return nil, faults
	}
	return room, nil
}

// Check reads a room file as Load does and returns its faults and, beside them, warnings: what will
// work and could be better.
func Check(path string, cat Catalogue, env func(string) (string, bool)) (faults, warnings Faults) {
	_, faults, warnings = load(path, cat, env)
	return faults, warnings
}

func load(path string, cat Catalogue, env func(string) (string, bool)) (room *Room, faults, warnings Faults) {
	data, err := read(path, sizeMost+1)
	if err != nil {
		return nil, Faults{{File: path, Line: 1, Column: 1, What: "the file cannot be read: " + err.Error(), Right: "give the path of a room file"}}, nil
	}
	return parse(path, data, cat, env)
}

func parse(name string, data []byte, cat Catalogue, env func(string) (string, bool)) (room *Room, faults, warnings Faults) {
	d := newDocument(name, data, env)
	root := d.parse(data)
	if root == nil {
		return nil, d.faults.sorted(), nil
	}
	room = new(Room)
	d.spots[""] = spot{value: root}
	d.decode(root, reflect.ValueOf(room).Elem(), "")
	if !d.bad("") {
		c := &checker{document: d, room: room, catalogue: cat}
		c.check()
		c.defaults()
		c.warnings()
	}
	return room, d.faults.sorted(), d.warned.sorted()
}

// read reads a regular file of at most the size; more of it is left. A pipe or a device, which could
// be read for ever, is refused.
func read(path string, most int64) (data []byte, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, plain(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, plain(err)
	}
	defer f.Close()
	data = make([]byte, min(most, info.Size()))
	n, err := f.ReadAt(data, 0)
	if n < len(data) {
		return nil, plain(cmp.Or(err, errors.New("it changed while it was read")))
	}
	return data, nil
}

// plain takes the call and the path off an error, for faults that name the file anyway.
func plain(err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}
