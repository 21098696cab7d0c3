package configs

import _ "embed"

// RoomSchema is the JSON schema (draft 2020-12) of the room file. Editors complete and check with it while a file is
// written. It says what can be said without looking from one place in the file to another; what refers to something else
// is the business of Load. It is made from the types that are loaded and the settings of all drivers; a test fails where
// it is not as they are.
//
//go:generate go test . -run TestTheSchemasAreThoseOfTheTypes -update
//go:embed room.schema.json
var RoomSchema []byte

// BuildingSchema is that of the building file.
//
//go:embed building.schema.json
var BuildingSchema []byte
