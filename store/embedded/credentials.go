package embedded

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/touchline-hq/touchline/store/datadir"
)

// Credentials are a user of the engine.
type Credentials struct {
	User     string
	Password string
}

// The engine's users: the product may do everything, the analyst may read database touchline. A third one, default,
// is the engine's own local session and may do nothing but open the port.
const (
	productUser = "touchline"
	analystUser = "analyst"
)

// ReadCredentials returns the users of the engine in data directory dir, for a process that did not start it.
func ReadCredentials(dir string) (product, analyst Credentials, err error) {
	product, err = readCredentials(dir, productUser)
	if err != nil {
		return Credentials{}, Credentials{}, err
	}
	analyst, err = readCredentials(dir, analystUser)
	return product, analyst, err
}

func readCredentials(dir, user string) (Credentials, error) {
	password, err := os.ReadFile(passwordFile(dir, user))
	if err != nil {
		return Credentials{}, fmt.Errorf("password of engine user %s: %w", user, err)
	}
	return Credentials{User: user, Password: strings.TrimSpace(string(password))}, nil
}

// ensureCredentials is readCredentials that makes a password the first time.
func ensureCredentials(dir, user string) (Credentials, error) {
	credentials, err := readCredentials(dir, user)
	if !errors.Is(err, fs.ErrNotExist) {
		return credentials, err
	}
	credentials = Credentials{User: user, Password: rand.Text()}
	if err := datadir.WriteFile(passwordFile(dir, user), []byte(credentials.Password+"\n")); err != nil {
		return Credentials{}, fmt.Errorf("password of engine user %s: %w", user, err)
	}
	return credentials, nil
}

func passwordFile(dir, user string) string {
	return filepath.Join(engineDir(dir), user+".password")
}
