"""Behind `thetool.vision.decoder`: what runs in its children, and how they are started, asked and killed."""
