// Command web-gin is a router of gin as a service that others find by name.
package main

import (
	"log"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/rollcall-go/micro/web"
)

func main() {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.Use(gin.Recovery())
	router.GET("/hello/:name", func(c *gin.Context) {
		c.JSON(http.StatusOK, gin.H{"greeting": "Hello, " + c.Param("name") + "!"})
	})

	service := web.NewService(
		web.Name("greeter.gin"),
		web.Handler(router),
		web.Metadata(map[string]string{"protocol": "http"}), // as programs of v2 say it; it is said without, too
	)
	if err := service.Init(); err != nil { // reads --registry=etcd and --server_address, among others
		log.Fatal(err)
	}
	if err := service.Run(); err != nil {
		log.Fatal(err)
	}
}
