"""Video patrol (视频巡查): rooms in use, the alerts they raise, and what people do about them."""
