// versitygw as it embeds itself into other programs, over a folder. Its own command holds its backends for other stores and
// its integration tests too, which take longer to compile than all of this.
package main

import (
	"context"
	"flag"
	"log"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

func main() {
	access := flag.String("access", "", "the access key that it lets in")
	secret := flag.String("secret", "", "its secret")
	region := flag.String("region", "", "region")
	address := flag.String("address", "", "IP address and port")
	versions := flag.String("versions", "", "folder for the versions of objects; without it there are none")
	flag.Parse()
	folder := flag.Arg(0)

	attributes := meta.XattrMeta{}
	if err := attributes.Test(folder); err != nil {
		log.Fatal(err)
	}
	// The numbers are the defaults of the command.
	store, err := posix.New(folder, attributes, posix.PosixOpts{
		VersioningDir:       *versions,
		Concurrency:         5000,
		CopyObjectThreshold: 5 << 30,
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(embedgw.RunVersityGW(context.Background(), store, &embedgw.Config{
		RootUserAccess:    *access,
		RootUserSecret:    *secret,
		Region:            *region,
		Ports:             []string{*address},
		MaxConnections:    250000,
		MaxRequests:       100000,
		MultipartMaxParts: 10000,
		Quiet:             true,
	}))
}
