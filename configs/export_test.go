package configs

// Compare is for the tests outside of the package, which may know the real drivers.
var Compare = compare
