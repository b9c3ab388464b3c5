"""What can go wrong with pictures.

VideoError                    video
└── BadPicture                video.bad_picture      what a station's media server sent is no picture
"""

from central.errors import CentralError


class VideoError(CentralError):
    code = "video"


class BadPicture(VideoError):
    code = "video.bad_picture"
