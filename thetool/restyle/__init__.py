"""A photo of a room in another style: what is seen in it guides a diffusion model, which paints it anew."""
